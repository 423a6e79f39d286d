import { SalvorError } from '../errors.ts';

/** A schedule as the configuration has it. */
export interface ScheduleRule {
  every?: string | undefined;
  cron?: string | undefined;
  jitter?: string | undefined;
  window?: string | undefined;
  timeZone?: string | undefined;
}

/** `InvalidConfiguration` for a schedule, with the field that has to be corrected. */
export class ScheduleProblem extends SalvorError {
  readonly field: keyof ScheduleRule;

  constructor(field: keyof ScheduleRule, message: string) {
    super('InvalidConfiguration', message);
    this.field = field;
  }
}
