/**
 * Which changes that a watch tells of were made here: who made one knows of it, and need not be told. A change may be told of
 * before the answer to the write is there, so until then it waits.
 */
export class OwnWrites {
  /** By object; resolves to the resourceVersion written, undefined where that failed. */
  readonly #underWay = new Map<string, Promise<string | undefined>>();
  /** Written, and not told of yet. */
  readonly #written = new Map<string, string>();

  /** One write of an object at a time. */
  async note(key: string, write: () => Promise<string | undefined>): Promise<void> {
    const writing = write();
    const version = writing.catch(() => undefined);
    this.#underWay.set(key, version);
    const written = await version;
    this.#underWay.delete(key);
    if (written !== undefined) this.#written.set(key, written);
    await writing;
  }

  /** Calls `tell`, unless this version of the object is the one written here. */
  tellOthers(key: string, version: string | undefined, tell: () => void): void {
    const underWay = this.#underWay.get(key);
    const judge = (written: string | undefined) => {
      // Of an older version, too, nothing comes any more.
      this.#written.delete(key);
      if (version === undefined || version !== written) tell();
    };
    if (underWay) void underWay.then(judge);
    else judge(this.#written.get(key));
  }
}
