/** What `messenger user` needs around it: the database, and the services on it. */
import { createApp } from '../app.ts'
import { createMemoryBus } from '../bus/memory.ts'
import type { Config } from '../config.ts'
import type { Log } from '../observability/log.ts'
import { joinPostgres, loadSecret, runMigrations } from './parts.ts'
import { userCommand } from './user.ts'

/** @returns the exit code */
export async function runUserCommand(args: string[], config: Config, log: Log): Promise<number> {
  const postgres = await joinPostgres(config, log)
  try {
    await runMigrations(postgres, log)
    const database = postgres.connect({ poolMax: 2, name: 'messenger user' })
    const secret = await loadSecret(config)
    const bus = createMemoryBus(log)
    const app = createApp({ config, secret, database, writerDatabase: database, bus, log })
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
