/** Objects whose fields may be absent, but never undefined. */

/** The same type, but fields that may be undefined may be absent instead. */
type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The same object without the fields that are undefined. */
export function withoutUndefined<T extends object>(value: T): Defined<T> {
  // The entries are those of the value, except the undefined ones.
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Defined<T>;
}
