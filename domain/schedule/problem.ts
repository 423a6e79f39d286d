import { SalvorError } from '../errors.ts';

/** A schedule as it stands in the configuration. */
export interface ScheduleRule {
  every?: string | undefined;
  cron?: string | undefined;
  jitter?: string | undefined;
  window?: string | undefined;
  timeZone?: string | undefined;
}

/** `InvalidConfiguration` of a schedule, with the field that a person corrects. */
export class ScheduleProblem extends SalvorError {
  readonly field: keyof ScheduleRule;

  constructor(field: keyof ScheduleRule, message: string) {
    super('InvalidConfiguration', message);
    this.field = field;
  }
}
