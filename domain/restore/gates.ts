/** The result of a gate (a check) after a restore. Pure. */
export interface GateResult {
  /** False when the gate could not be checked here; `seen` says why. A gate that doesn't hold is a failure instead. */
  checked: boolean;
  seen: string;
}

/** The result of a gate that could not be checked. */
export function notChecked(why: string): GateResult {
  return { checked: false, seen: `not checked: ${why}` };
}
