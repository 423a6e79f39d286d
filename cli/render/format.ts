/** Formats values for people. Pure: the caller gives the clock, the time zone and the colours. */
import { stripVTControlCharacters, styleText } from 'node:util';

/** How to format output. */
export interface Look {
  color: boolean;
  now: Date;
  /** An IANA name such as Asia/Shanghai. */
  timeZone: string;
  /** The width of the terminal. */
  columns: number;
}

type Style = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';

/** Styles the text if colours are wanted. */
export function paint(look: Look, style: Style, text: string): string {
  return look.color && text !== '' ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * Puts text from outside, such as a command's output, on one line, without control characters that could move the
 * cursor or change colours.
 */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- keeping control characters out is the point
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** For example `0.2 s`, `47 s`, `3 min 05 s`, `2 h 10 min` or `4 d 3 h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, durationMs) / 1_000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** For example `3 min ago`, in the largest unit of which there are at least two. */
export function formatAge(time: Date, now: Date): string {
  const ageMs = now.getTime() - time.getTime();
  if (ageMs < 0) return 'in the future';
  for (const [unit, unitMs] of AGE_UNITS) {
    if (ageMs >= 2 * unitMs) return `${Math.floor(ageMs / unitMs)} ${unit} ago`;
  }
  return 'just now';
}

const AGE_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** For example `2026-11-23 06:00:00 UTC`; outside UTC followed by the local time, for example `(14:00 GMT+8)`. */
export function formatTime(time: Date, { timeZone }: Pick<Look, 'timeZone'>): string {
  const utc = `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const local = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes) => local.find((each) => each.type === type)?.value ?? '';
  const zone = part('timeZoneName');
  return zone === 'UTC' ? utc : `${utc} (${part('hour')}:${part('minute')} ${zone})`;
}

/** For example `12,345`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** The first digits of a hash: enough to compare by eye. */
export function shortHash(sha256: string): string {
  return sha256.slice(0, 12);
}
