/** Salvor's schedules in Temporal: what the configuration asks for, and an operator's hand on it. */
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
 * Every method throws SalvorOperationError; those that name a schedule `InvalidInput` when there is none. Others'
 * schedules are never touched.
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
   * Makes the schedules match a configuration: creates, updates and deletes. What is paused stays paused. Done twice,
   * it changes nothing.
   * @param options with `dryRun` it only says what it would do
   * @throws SalvorOperationError `InvalidConfiguration` for times that can't be scheduled
   */
  apply(configuration: Pick<Configuration, 'clusters'>, options: { dryRun?: boolean } = {}): Promise<ScheduleChange[]> {
    const taskQueue = this.#taskQueue;
    return this.#ask(async () =>
      applySchedules(this.#client, wantedSchedules(configuration, taskQueue), { taskQueue, ...options }),
    );
  }

  /** The schedules of a cluster, or of all. A new one may take some seconds to appear: Temporal lists with a delay. */
  list(filter: { cluster?: string } = {}): Promise<ScheduleReport[]> {
    return this.#ask(() => listSchedules(this.#client, filter));
  }

  /**
   * Stops the runs to come; one that runs continues.
   * @param note why: it stands in every list
   * @returns the IDs of the schedules
   */
  pause(choice: ScheduleChoice, note: string): Promise<string[]> {
    return this.#ask(() => pauseSchedules(this.#client, choice, note));
  }

  /** Runs by the clock again. */
  resume(choice: ScheduleChoice, note: string): Promise<string[]> {
    return this.#ask(() => resumeSchedules(this.#client, choice, note));
  }

  /**
   * Runs it now, paused or not, unless a run of it is still going on.
   * @returns `requested` when Temporal took the request and hasn't acted on it for a while
   */
  trigger(choice: Required<ScheduleChoice>): Promise<TriggerReport> {
    return this.#ask(() => triggerSchedule(this.#client, choice));
  }

  #ask<T>(ask: () => Promise<T>): Promise<T> {
    return asking(this.#place, ask);
  }
}
