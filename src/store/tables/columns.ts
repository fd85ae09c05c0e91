// What columns hold.

/** Integer milliseconds since 1970-01-01T00:00Z. */
export type Millis = number;
/** JSON as text; read and write it with `toJson` and `fromJson` of codec.ts. */
export type JsonText = string;
