/** Where something stands in a text. Lines and columns count from 1; line 0 is the file itself. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What to change in a file; lines count from 1, and 0 is the file itself. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
