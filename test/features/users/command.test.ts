import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { userCommand } from '../../../src/commands/user.ts'
import { fakePasswords, newNames, openDatabase, startApp } from '../auth/support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords, registration: 'closed' })
})
afterAll(() => database.close())

async function run(args: string[], stdin = '') {
  let [out, err] = ['', '']
  const code = await userCommand(args, {
    users: server.users,
    accounts: server.accounts,
    readStdin: async () => stdin,
    write: (text) => {
      out += text
    },
    writeError: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

async function create() {
  const { phone, username } = newNames()
  const made = await run(['create', '--phone', phone, '--username', username])
  return { phone, username, ...made, password: /Password: (\S+)/.exec(made.out)?.[1] ?? '' }
}

describe('messenger user', () => {
  it('makes an account with a password of its own, even while registration is closed', async () => {
    const { code, out, phone, username, password } = await create()
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^${username} was made: [0-9a-f-]{36}\nPassword: \\S+\n$`))
    expect((await server.login(phone, password)).status).toBe(200)
    expect((await run(['list'])).out).toContain(`\t${phone}\t${username}\t-\tactive\t`)
  })

  it('takes the password from the standard input', async () => {
    const { phone, username } = newNames()
    const made = await run(['create', '--phone', phone, '--username', username, '--password-stdin'], 'Given1234\n')
    expect(made.out).not.toContain('Given1234')
    expect((await server.login(phone, 'Given1234')).status).toBe(200)
  })

  it('names every fault', async () => {
    const args = ['create', '--phone', '1', '--username', 'a', '--email', 'x', '--password-stdin']
    const { code, out, err } = await run(args, 'short')
    expect([code, out]).toEqual([1, ''])
    for (const field of ['phone', 'username', 'email', 'password']) expect(err).toContain(`  ${field} must be `)
    const { phone, username } = await create()
    const again = await run(['create', '--phone', phone, '--username', username])
    expect(again).toMatchObject({ code: 1 })
    expect(again.err).toBe('Already taken\n  phone is already registered\n  username is already taken\n')
  })

  it('resets a password and ends all sessions', async () => {
    const { phone, username, password } = await create()
    const { token } = (await server.login(phone, password)).body
    const reset = await run(['reset-password', username.toUpperCase()])
    expect(reset.code).toBe(0)
    expect((await server.call('GET', '/users/me', { token })).status).toBe(401)
    expect((await server.login(phone, password)).status).toBe(401)
    const made = /Password: (\S+)/.exec(reset.out)?.[1] ?? ''
    expect((await server.login(phone, made)).status).toBe(200)
  })

  it('disables an account, which ends all sessions, and enables it', async () => {
    const { phone, password } = await create()
    const signedIn = (await server.login(phone, password)).body
    expect((await run(['disable', phone])).code).toBe(0)
    expect((await server.call('GET', '/users/me', { token: signedIn.token })).status).toBe(401)
    expect((await server.refresh(signedIn.refresh_token)).status).toBe(401)
    expect((await server.login(phone, password)).status).toBe(403)
    expect((await run(['list'])).out).toContain(`\t${phone}\t`)
    expect((await run(['enable', phone])).code).toBe(0)
    expect((await server.login(phone, password)).status).toBe(200)
  })

  it('ends with 1 for a user that is not there', async () => {
    expect(await run(['disable', 'nobody'])).toEqual({ code: 1, out: '', err: 'There is no user nobody\n' })
  })

  it.each([[[]], [['dance']], [['constructor', 'x']], [['disable']], [['list', 'x']], [['create']], [['list', '--x']]])(
    'ends with 2 and says how when it is not understood: %j',
    async (args) => {
      const { code, out, err } = await run(args)
      expect([code, out]).toEqual([2, ''])
      expect(err).toContain('Usage: messenger user COMMAND')
    },
  )

  it('helps', async () => {
    expect(await run(['--help'])).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('reset-password USER'),
    })
  })
})
