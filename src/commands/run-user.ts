/** What `messenger user` needs around it: the database, and the services on it. */
import { createApp } from '../app.ts'
import type { Config } from '../config.ts'
import type { Log } from '../observability/log.ts'
import { beAlone } from './instances.ts'
import { joinPostgres, loadSecret, openStorage, runMigrations } from './parts.ts'
import { userCommand } from './user.ts'

/** @returns the exit code */
export async function runUserCommand(args: string[], config: Config, log: Log): Promise<number> {
  const postgres = await joinPostgres(config, log)
  try {
    await runMigrations(postgres, log)
    const database = postgres.connect({ poolMax: 2, name: 'messenger user' })
    const secret = await loadSecret(config)
    const app = createApp({
      ...beAlone(log),
      config,
      secret,
      database,
      writerDatabase: database,
      storage: await openStorage(config, log),
      ffmpeg: undefined,
      isRunner: () => false,
      log,
    })
    try {
      return await userCommand(args, {
        users: app.users,
        accounts: app.accounts,
        readStdin: () => Bun.stdin.text(),
        write: (text) => void process.stdout.write(text),
        writeError: (text) => void process.stderr.write(text),
      })
    } finally {
      app.stop()
      await database.close()
    }
  } finally {
    await postgres.stop()
  }
}
