/** For services without files: what has a picture may lose it, and nothing gets one. */
import type { Avatars } from '../../src/features/users/avatars.ts'

export const noAvatars: Avatars = {
  async exchange(_userId, given, _findCurrent, write) {
    if (typeof given === 'string') throw new Error('There are no files here')
    return (await write(given)).done
  },
  drop: () => Promise.resolve(),
}

/** Of accounts that send no files. */
export const noTier = (): number => 0
