/**
 * messenger: understands the command line and runs one command. The only file that does something when it is loaded. Each
 * command is loaded when it is run: the server starts its image workers from here, and they are to stay small.
 */
import { version } from '../package.json'
import { type Config, ConfigError, loadConfig } from './config.ts'
import { IMAGE_WORKER } from './features/media/worker-command.ts'
import { gatherLines } from './observability/gather-lines.ts'
import { createLog, type Log, type WriteLine } from './observability/log.ts'

const HELP = `Usage: messenger [COMMAND]

  serve         run the server (the default)
  migrate       bring the database to this version's schema, and exit
  healthcheck   ask the server on this machine whether it can serve
  cleanup-media remove the files that nobody needs any more (see: messenger cleanup-media --help)
  backup DIR    keep the database and the files of messages (see: messenger backup --help)
  restore DIR   bring them back, into an empty database (see: messenger restore --help)
  user          accounts: list, create, reset-password, disable, enable (see: messenger user --help)
  seed-demo     fill an empty database with people and weeks of conversation, to look around
  version       print the version; with --verbose that of every part, which shows that they work on this machine
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
      return await withConfig(runServer, logToOutput())
    case 'migrate':
      return await withConfig(runMigrate)
    case 'healthcheck': {
      const { healthcheck } = await import('./commands/healthcheck.ts')
      return await withConfig((config) => healthcheck(config, write))
    }
    case 'cleanup-media': {
      const { runCleanupMedia } = await import('./commands/cleanup-media.ts')
      return await withConfig((config, log) => runCleanupMedia(args, config, log, { write, writeError }))
    }
    case 'backup': {
      const { backup } = await import('./commands/backup.ts')
      return await withConfig((config, log) => backup(args, config, log, { write, writeError }))
    }
    case 'restore': {
      const { restore } = await import('./commands/backup.ts')
      return await withConfig((config, log) => restore(args, config, log, { write, writeError }))
    }
    case 'user': {
      const { runUserCommand } = await import('./commands/run-user.ts')
      return await withConfig((config, log) => runUserCommand(args, config, log))
    }
    case 'seed-demo': {
      const { runSeedDemo } = await import('./commands/seed-demo.ts')
      const readStdin = () => Bun.stdin.text()
      return await withConfig((config, log) => runSeedDemo(args, config, log, { readStdin, write, writeError }))
    }
    // For the server alone: it starts these by itself.
    case IMAGE_WORKER: {
      const { runImageWorker } = await import('./features/media/image-worker.ts')
      return await runImageWorker()
    }
    case 'version':
    case '--version':
      return args.includes('--verbose') ? await tellVersions() : tell(`messenger ${version}\n`)
    case 'help':
    case '--help':
    case '-h':
      return tell(HELP)
    default:
      writeError(`Unknown command: ${command}\n\n${HELP}`)
      return NOT_UNDERSTOOD
  }
}

function tell(text: string): number {
  write(text)
  return 0
}

async function tellVersions(): Promise<number> {
  const { listVersions } = await import('./commands/version.ts')
  const { text, isFine } = await listVersions()
  write(text)
  return isFine ? 0 : FAILED
}

/** The server logs to the standard output; for the other commands that is where their results go. */
async function withConfig(
  command: (config: Config, log: Log) => Promise<number>,
  writeLog: WriteLine = (line) => writeError(`${line}\n`),
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
  const log = createLog(config.LOG_LEVEL, writeLog)
  try {
    return await command(config, log)
  } catch (error) {
    log.error('messenger cannot run', { reason: error instanceof Error ? error.message : String(error), error })
    return FAILED
  }
}

/** The server logs each request. However it ends but for a signal that kills, what it logged is there. */
function logToOutput(): WriteLine {
  const lines = gatherLines(write)
  process.on('exit', lines.flush)
  return lines.write
}

/** Runs until a signal, or a fault that it cannot live with. A signal during the start stops it when it has started. */
async function runServer(config: Config, log: Log): Promise<number> {
  const { serve } = await import('./commands/serve.ts')
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
  const { joinPostgres, runMigrations } = await import('./commands/parts.ts')
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
