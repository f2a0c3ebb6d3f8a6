/** A clock that is wrong, and jumps, for one process alone: libfaketime of the system's packages. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface SkewedClock {
  /** For the process whose clock it is. */
  environment: Record<string, string>
  /** At once, in the running process. */
  setHours(hours: number): void
}

/** @param directory where it notes what time it is */
export function createSkewedClock(directory: string, name: string, hours: number): SkewedClock {
  const [library] = new Bun.Glob('**/faketime/libfaketime.so.1').scanSync({ cwd: '/usr/lib', absolute: true })
  if (library === undefined) throw new Error('libfaketime is missing: install the package faketime')
  const file = join(directory, `${name}.clock`)
  const setHours = (to: number) => writeFileSync(file, `${to < 0 ? '' : '+'}${to * 3600}\n`)
  setHours(hours)
  return {
    setHours,
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // Setting a machine's clock does not touch the one that only counts.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  }
}
