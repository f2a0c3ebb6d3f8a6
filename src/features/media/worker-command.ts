/** How the server starts a worker from its own executable. */
import { join } from 'node:path'

/** The hidden command of it. */
export const IMAGE_WORKER = 'image-worker'

/** Within the compiled binary files are under this path. */
const isCompiled = import.meta.dir.startsWith('/$bunfs/')

/** The program and its arguments: the binary itself, or Bun on the source. */
export const workerCommand = (command: string): string[] =>
  isCompiled ? [process.execPath, command] : [process.execPath, join(import.meta.dir, '../../main.ts'), command]
