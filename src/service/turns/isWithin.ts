// Waits for work, but not for ever.

/** False when `work` takes longer; rejects with it. */
export async function isWithin(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(resolve, withinMs, false)
  return await Promise.race([work.then(() => true), promise]).finally(() => clearTimeout(timer))
}
