/** `messenger user`: accounts from the command line. A running server follows within 30 seconds. */
import { parseArgs } from 'node:util'
import { AppError } from '../errors.ts'
import type { Accounts } from '../features/auth/accounts.ts'
import type { Users } from '../features/users/service.ts'

export const USER_HELP = `Usage: messenger user COMMAND

  list                                    every account: id, phone, username, e-mail, state, made, last seen
  create --phone PHONE --username NAME    make an account, whatever REGISTRATION says
         [--email E-MAIL] [--password-stdin]
  reset-password USER [--password-stdin]  set a new password and end all sessions
  disable USER                            keep somebody out and end all sessions
  enable USER                             let them in again

USER is an id, a phone, an e-mail or a username. Without --password-stdin a password is made and printed.

Exit codes: 0 done, 1 failed, 2 not understood.
`

export interface UserContext {
  users: Users
  accounts: Accounts
  /** All of the standard input. */
  readStdin: () => Promise<string>
  /** Text for the standard output and the standard error, with its line feed. */
  write: (text: string) => void
  writeError: (text: string) => void
}

class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** @returns the exit code */
export async function userCommand(args: string[], context: UserContext): Promise<number> {
  try {
    context.write(await run(args, context))
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      context.writeError(`${error.message}\n\n${USER_HELP}`)
      return 2
    }
    if (!(error instanceof AppError)) throw error
    const details = Object.entries(error.details).map(([field, fault]) => `  ${field} ${String(fault)}\n`)
    context.writeError(`${error.message}\n${details.join('')}`)
    return 1
  }
}

/** @returns what to print */
async function run(args: string[], context: UserContext): Promise<string> {
  const { users } = context
  const { values, positionals } = parse(args)
  const [command, name, ...rest] = positionals
  if (values.help) return USER_HELP
  if (command === undefined) throw new UsageError('A command is missing')
  if (rest.length > 0) throw new UsageError(`Too many arguments: ${rest.join(' ')}`)

  if (command === 'list' || command === 'create') {
    if (name !== undefined) throw new UsageError(`"${command}" takes no argument: ${name}`)
    return command === 'list' ? list(users) : create(values, context)
  }
  const change = changes.get(command)
  if (change === undefined) throw new UsageError(`Unknown command: ${command}`)
  if (name === undefined) throw new UsageError(`"${command}" needs to know which user`)
  const account = await users.findAccount(name)
  if (!account) throw new AppError(404, `There is no user ${name}`)
  return change(account.id, name, values, context)
}

type Change = (userId: string, name: string, values: Values, context: UserContext) => Promise<string>

const changes = new Map<string, Change>([
  ['reset-password', resetPassword],
  ['disable', disable],
  ['enable', enable],
])

async function resetPassword(...[userId, name, values, context]: Parameters<Change>): Promise<string> {
  const { password, line } = await choosePassword(values, context)
  await context.accounts.resetPassword(userId, password)
  return `The password of ${name} was changed; all sessions ended.\n${line}`
}

async function disable(...[userId, name, , { accounts }]: Parameters<Change>): Promise<string> {
  await accounts.disable(userId)
  return `${name} is disabled; all sessions ended.\n`
}

async function enable(...[userId, name, , { accounts }]: Parameters<Change>): Promise<string> {
  await accounts.enable(userId)
  return `${name} can sign in.\n`
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        phone: { type: 'string' },
        username: { type: 'string' },
        email: { type: 'string' },
        'password-stdin': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'The arguments were not understood')
  }
}

type Values = ReturnType<typeof parse>['values']

async function list(users: Users): Promise<string> {
  const rows = (await users.listAccounts()).map((account) => [
    account.id,
    account.phone ?? '-',
    account.username ?? '-',
    account.email ?? '-',
    account.disabledAt ? 'disabled' : 'active',
    account.createdAt.toISOString(),
    account.lastSeenAt?.toISOString() ?? 'never',
  ])
  return rows.map((row) => `${row.join('\t')}\n`).join('')
}

async function create(values: Values, context: UserContext): Promise<string> {
  const { phone, username, email } = values
  if (phone === undefined || username === undefined) throw new UsageError('"create" needs --phone and --username')
  const { password, line } = await choosePassword(values, context)
  const id = await context.accounts.create({ phone, username, email, password })
  return `${username} was made: ${id}\n${line}`
}

/** The password, and what to print of it: a made one has to be told. */
async function choosePassword(values: Values, { readStdin }: UserContext): Promise<{ password: string; line: string }> {
  if (values['password-stdin']) return { password: (await readStdin()).replace(/\r?\n$/, ''), line: '' }
  const password = makePassword()
  return { password, line: `Password: ${password}\n` }
}

/** 120 random bits; the ending makes sure of the rule's three kinds of characters. */
export function makePassword(): string {
  const random = crypto.getRandomValues(new Uint8Array(15)).toBase64({ alphabet: 'base64url' })
  return `${random}Aa1`
}
