/** The port for what is held only as long as somebody holds it, on any instance: a socket open, a chat looked at. */

/** A user's being online is a group of its own; who looks at a chat are the members of one. Without spaces. */
export interface Holding {
  group: string
  member: string
}

export interface HoldingState extends Holding {
  isHeld: boolean
}

/**
 * Guarantees of every implementation:
 * - Holders are counted: what is held twice, here or elsewhere, has to be released twice.
 * - Of all that hold and release at once exactly one is told that it was the first or the last.
 * - What an instance holds ends within a minute of its death.
 * - Nothing throws. While the others cannot be asked, what is held here is all that is known; what changed meanwhile is
 *   told to `onLate` when they can be asked again.
 */
export interface Holders {
  /** @returns whether nobody held it before */
  hold(holding: Holding): Promise<boolean>
  /** @returns whether nobody holds it any more; false for what was not held here */
  release(holding: Holding): Promise<boolean>
  /** Members of the group, at most `limit`. */
  list(group: string, limit: number): Promise<string[]>
  /** Of each whether it is held, asked in one go. */
  areHeld(holdings: readonly Holding[]): Promise<boolean[]>
  /**
   * What ended with instances that died. Of those who ask at once one gets the answer for each dead instance; what several
   * held that died one after the other may be answered again.
   */
  sweepDead(): Promise<Holding[]>
  /** Told how things stand that the other instances could not be told when they changed. */
  onLate(listener: (states: HoldingState[]) => void): void
  /** Leaves what is held to the others for a few seconds, in which its holders may come to them. */
  close(): Promise<void>
}
