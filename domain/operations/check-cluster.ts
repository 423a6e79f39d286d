/** Looks at everything that operations need: what goes in and what comes out. */

export interface CheckClusterInput {
  cluster: string;
}

export interface CheckClusterReport {
  cluster: string;
  checks: { name: string; ok: boolean; seen: string; advice?: string }[];
}
