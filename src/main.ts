/** messenger: understands the command line and runs one command. The only file that does something when it is loaded. */
import { version } from '../package.json'
import { healthcheck } from './commands/healthcheck.ts'
import { joinPostgres, runMigrations } from './commands/parts.ts'
import { runUserCommand } from './commands/run-user.ts'
import { serve } from './commands/serve.ts'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { createLog, type Log } from './observability/log.ts'

const HELP = `Usage: messenger [COMMAND]

  serve         run the server (the default)
  migrate       bring the database to this version's schema, and exit
  healthcheck   ask the server on this machine whether it can serve
  user          accounts: list, create, reset-password, disable, enable (see: messenger user --help)
  version       print the version
  --help        print this

Settings come from the environment; deploy/.env.example lists them all.

Exit codes: 0 done, 1 failed, 2 the command or a setting was not understood.
`

const FAILED = 1
const NOT_UNDERSTOOD = 2
const write = (text: string) => void process.stdout.write(text)
const writeError = (text: string) => void process.stderr.write(text)

/** @returns the exit code */
async function run([command = 'serve', ...args]: string[]): Promise<number> {
  switch (command) {
    case 'serve':
      return await withConfig(runServer, write)
    case 'migrate':
      return await withConfig(runMigrate)
    case 'healthcheck':
      return await withConfig((config) => healthcheck(config, write))
    case 'user':
      return await withConfig((config, log) => runUserCommand(args, config, log))
    case 'version':
    case '--version':
      write(`messenger ${version}\n`)
      return 0
    case 'help':
    case '--help':
    case '-h':
      write(HELP)
      return 0
    default:
      writeError(`Unknown command: ${command}\n\n${HELP}`)
      return NOT_UNDERSTOOD
  }
}

/** The server logs to the standard output; for the other commands that is where their results go. */
async function withConfig(
  command: (config: Config, log: Log) => Promise<number>,
  writeLog: (text: string) => void = writeError,
): Promise<number> {
  let config: Config
  try {
    config = loadConfig()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    writeError(
      `messenger does not start: these settings are wrong\n${error.faults.map((fault) => `  ${fault}\n`).join('')}`,
    )
    return NOT_UNDERSTOOD
  }
  const log = createLog(config.LOG_LEVEL, (line) => writeLog(`${line}\n`))
  try {
    return await command(config, log)
  } catch (error) {
    log.error('messenger cannot run', { reason: error instanceof Error ? error.message : String(error), error })
    return FAILED
  }
}

/** Runs until a signal, or a fault that it cannot live with. A signal during the start stops it when it has started. */
async function runServer(config: Config, log: Log): Promise<number> {
  const ended = Promise.withResolvers<number>()
  process.on('SIGTERM', () => ended.resolve(0))
  process.on('SIGINT', () => ended.resolve(0))
  const serving = await serve(config, log, (reason) => {
    log.error('messenger cannot go on', { reason })
    ended.resolve(FAILED)
  })
  const code = await ended.promise
  await serving.stop()
  return code
}

async function runMigrate(config: Config, log: Log): Promise<number> {
  const postgres = await joinPostgres(config, log)
  try {
    const tags = await runMigrations(postgres, log)
    write(tags.length > 0 ? `Migrated: ${tags.join(', ')}\n` : 'The database is up to date\n')
    return 0
  } finally {
    await postgres.stop()
  }
}

process.exit(await run(process.argv.slice(2)))
