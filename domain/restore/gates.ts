/** What a gate after a restore has seen. Pure. */
export interface GateResult {
  /** False when it could not be looked at here, which `seen` explains; a gate that doesn't hold is a failure. */
  checked: boolean;
  seen: string;
}

/** A gate that could not be looked at. */
export function notChecked(why: string): GateResult {
  return { checked: false, seen: `not checked: ${why}` };
}
