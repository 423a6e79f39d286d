/** The messages between the worker of a kill matrix and the process that started it. */
import { z } from 'zod';
import { PHASES } from './points.ts';

export const pointSchema = z.object({
  activity: z.string(),
  place: z.string().nullable(),
  phase: z.enum(PHASES),
  delayMs: z.number(),
});

/** From the worker. */
export const toldSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('called'), activity: z.string(), place: z.string().nullable(), durationMs: z.number() }),
  z.object({ type: z.literal('reached') }),
]);
export type Told = z.infer<typeof toldSchema>;

/** To the worker: the point's activity may continue. */
export const GO = 'go';
/** To the worker: the point's activity must fail, so that its step can't succeed. */
export const FAIL = 'fail';
