/** Waiting, but not for ever. */

/** Waits for `work` for `milliseconds` at most; says whether it was done by then. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<false>((resolve) =>
    timer = setTimeout(() => resolve(false), milliseconds)
  );
  try {
    return await Promise.race([work.then(() => true), end]);
  } finally {
    clearTimeout(timer);
  }
}
