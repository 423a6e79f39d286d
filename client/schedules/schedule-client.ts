/** Salvor's schedules in Temporal: applies the configuration; lists, pauses, resumes and triggers schedules. */
import type { Client } from '@temporalio/client';
import type { Configuration } from '../../domain/configuration/schema.ts';
import { wantedSchedules } from '../../domain/scheduled.ts';
import { asking, type TemporalPlace } from '../errors.ts';
import { applySchedules, type ScheduleChange } from './apply-schedules.ts';
import {
  listSchedules,
  pauseSchedules,
  resumeSchedules,
  type ScheduleChoice,
  type ScheduleReport,
  type TriggerReport,
  triggerSchedule,
} from './schedules.ts';

/**
 * Every method throws SalvorOperationError; the methods that name a schedule throw it as `InvalidInput` if that
 * schedule does not exist. Salvor never touches the schedules of others.
 */
export class ScheduleClient {
  readonly #client: Client;
  readonly #place: TemporalPlace;
  readonly #taskQueue: string;

  constructor(client: Client, place: TemporalPlace, taskQueue: string) {
    this.#client = client;
    this.#place = place;
    this.#taskQueue = taskQueue;
  }

  /**
   * Makes the schedules match a configuration: creates, updates and deletes. Paused schedules stay paused. A second
   * call changes nothing.
   * @param options with `dryRun` it only reports what it would do
   * @throws SalvorOperationError `InvalidConfiguration` for times that can't be scheduled
   */
  apply(configuration: Pick<Configuration, 'clusters'>, options: { dryRun?: boolean } = {}): Promise<ScheduleChange[]> {
    const taskQueue = this.#taskQueue;
    return this.#ask(async () =>
      applySchedules(this.#client, wantedSchedules(configuration, taskQueue), { taskQueue, ...options }),
    );
  }

  /** Lists the schedules of one cluster or of all. A new one may take some seconds to appear in Temporal's list. */
  list(filter: { cluster?: string } = {}): Promise<ScheduleReport[]> {
    return this.#ask(() => listSchedules(this.#client, filter));
  }

  /**
   * Starts no more runs; a run in progress continues.
   * @param note the reason, which every list shows
   * @returns the IDs of the schedules
   */
  pause(choice: ScheduleChoice, note: string): Promise<string[]> {
    return this.#ask(() => pauseSchedules(this.#client, choice, note));
  }

  /** Lets paused schedules run again. */
  resume(choice: ScheduleChoice, note: string): Promise<string[]> {
    return this.#ask(() => resumeSchedules(this.#client, choice, note));
  }

  /**
   * Runs a schedule now, even if it is paused, unless one of its runs is still in progress.
   * @returns `requested` if Temporal took the request but did not act on it within 15 seconds
   */
  trigger(choice: Required<ScheduleChoice>): Promise<TriggerReport> {
    return this.#ask(() => triggerSchedule(this.#client, choice));
  }

  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return asking(this.#place, ask);
  }
}
