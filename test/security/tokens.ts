/** Access tokens that nobody issued, and refresh tokens that are used as a thief would. */
import { createHmac } from 'node:crypto'
import { request } from '../support/client.ts'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>

function sign(header: unknown, payload: unknown, secret: string | Buffer, hash = 'sha256'): string {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
}

/** All that is wrong with a token, by name. `token` is a good one of a living session. */
function forge(token: string, sessionId: string): Record<string, string> {
  const [head = '', body = '', mark = ''] = token.split('.')
  const header = decode(head)
  const claims = decode(body)
  const now = Math.floor(Date.now() / 1000)
  const wrong: Record<string, string> = { empty: '', dots: '..', 'one part': head, 'two parts': `${head}.${body}` }
  const put = (name: string, changes: Record<string, unknown>, secret: string | Buffer = TEST_SECRET) => {
    wrong[name] = sign(header, { ...claims, ...changes }, secret)
  }
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '', null, undefined, 1, {}, ['HS256']]) {
    const said = `alg ${JSON.stringify(alg)}`
    wrong[`${said}, no signature`] = `${encode({ ...header, alg })}.${body}.`
    wrong[`${said}, the old signature`] = `${encode({ ...header, alg })}.${body}.${mark}`
    wrong[`${said}, signed`] = sign({ ...header, alg }, claims, TEST_SECRET)
  }
  for (const [alg, hash] of [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['RS256', 'sha256'],
    ['ES256', 'sha256'],
    ['PS256', 'sha256'],
    ['EdDSA', 'sha512'],
  ] as const) {
    wrong[`key confusion ${alg}`] = sign({ ...header, alg }, claims, TEST_SECRET, hash)
  }
  for (const secret of [
    '',
    'secret',
    'null',
    'undefined',
    TEST_SECRET.toUpperCase(),
    `${TEST_SECRET}\n`,
    ` ${TEST_SECRET}`,
  ]) {
    put(`another secret ${JSON.stringify(secret)}`, {}, secret)
  }
  put('the secret in base64', {}, Buffer.from(TEST_SECRET, 'base64'))
  put('the secret in hexadecimal', {}, Buffer.from(TEST_SECRET).toString('hex'))
  for (const key of [
    { jwk: { kty: 'oct', k: encode('x') } },
    { jku: 'http://127.0.0.1/' },
    { kid: '../../dev/null' },
    { x5u: 'x' },
  ]) {
    wrong[`a header with ${Object.keys(key)[0]}`] = sign({ ...header, ...key }, claims, '')
  }
  wrong.crit = sign({ ...header, crit: ['exp'] }, { ...claims, exp: now - 10 }, TEST_SECRET)
  for (const seconds of [1, 2, 60, 3600, 86_400, 1e9]) put(`expired ${seconds} s ago`, { exp: now - seconds })
  for (const exp of [null, undefined, '', 'never', `${now + 60}`, {}, [now + 60], true, -1, 0, Number.MAX_VALUE * 2]) {
    put(`exp ${JSON.stringify(exp)}`, { exp })
  }
  for (const typ of ['refresh', 'Access', '', null, undefined, {}, ['access'], 'media', 'turn'])
    put(`typ ${JSON.stringify(typ)}`, { typ })
  for (const iss of ['', 'messenger2', null, undefined, ['messenger'], {}]) put(`iss ${JSON.stringify(iss)}`, { iss })
  for (const aud of ['', 'other', null, undefined, {}, []]) put(`aud ${JSON.stringify(aud)}`, { aud })
  for (const id of [
    '',
    'x',
    null,
    undefined,
    Bun.randomUUIDv7(),
    {},
    [sessionId],
    `${sessionId}0`,
    `${sessionId}'`,
    '*',
    '%',
    true,
  ]) {
    put(`sid ${JSON.stringify(id)}`, { sid: id })
  }
  for (const id of ['', 'x', null, undefined, {}, ['x'], "' or 1=1 --", true])
    put(`sub ${JSON.stringify(id)}`, { sub: id })
  for (const nbf of [now + 60, now + 86_400]) put(`not before ${nbf}`, { nbf, exp: now - 1 })
  // A bit of each part turned, some places of each.
  for (const [part, text] of [head, body, mark].entries()) {
    for (let n = 0; n < 30; n++) {
      const at = Math.floor((n * (text.length - 1)) / 30)
      const turned = text[at] === 'A' ? 'B' : 'A'
      const altered = [head, body, mark]
      altered[part] = text.slice(0, at) + turned + text.slice(at + 1)
      wrong[`part ${part} altered at ${at}`] = altered.join('.')
    }
  }
  wrong.cut = token.slice(0, -1)
  wrong.doubled = `${token}.${mark}`
  wrong.long = `${head}.${encode({ ...claims, pad: 'x'.repeat(3000) })}.${mark}`
  return wrong
}

async function isAccepted(server: TestServer, token: string): Promise<string | undefined> {
  const answer = await request(`${server.url}/api/v1/users/me`, 'GET', token).catch(() => undefined)
  // What cannot be put into a header is not sent at all.
  if (answer && answer.status !== 401) return `REST ${answer.status}`
  const opened = await new Promise<string | undefined>((resolve) => {
    const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws?token=${encodeURIComponent(token)}`)
    const close = (fault?: string) => {
      ws.close()
      resolve(fault)
    }
    ws.onmessage = ({ data }) => {
      if (String(data).includes('user_chats')) close('the socket opened')
    }
    ws.onclose = () => resolve(undefined)
    ws.onerror = () => resolve(undefined)
    // Without a token it may wait for a first frame.
    if (token === '') setTimeout(close, 200)
  })
  return opened
}

export const jwtAbuse: Scenario = {
  name: 'jwt-abuse',
  bar: '0 accepted',
  withinSeconds: 60,
  async run() {
    const server = await startServer()
    const { token, sessionId } = await server.addUser()
    const good = await isAccepted(server, token)
    const forged = Object.entries(forge(token, sessionId)).filter(([, one]) => one !== token)
    const faults: string[] = good === undefined ? ['the good one is refused'] : []
    for (const [name, one] of forged) {
      const accepted = await isAccepted(server, one)
      if (accepted) faults.push(`${name}: ${accepted}`)
    }
    await server.stop()
    return noneOf(faults, forged.length, 'accepted')
  },
}

const refresh = (server: TestServer, refresh_token: string) =>
  request(`${server.url}/api/v1/auth/refresh`, 'POST', undefined, { refresh_token })

/** A token used again after its successor was: whoever holds either is out. */
async function reuse(server: TestServer): Promise<string[]> {
  const user = await server.addUser()
  const first = await refresh(server, user.refreshToken)
  const second = await refresh(server, String(first.body.refresh_token))
  const again = await refresh(server, user.refreshToken)
  const faults = again.status === 401 ? [] : [`the used one answered ${again.status}`]
  for (const [name, one] of Object.entries({ first: first.body, second: second.body })) {
    const { status } = await refresh(server, String(one.refresh_token))
    if (status !== 401) faults.push(`the ${name} successor still lives after the reuse: ${status}`)
    const me = await request(`${server.url}/api/v1/users/me`, 'GET', String(one.token))
    if (me.status !== 401) faults.push(`the ${name} access token still lives after the reuse: ${me.status}`)
  }
  return faults
}

async function parallel(server: TestServer, count: number): Promise<string[]> {
  const user = await server.addUser()
  const answers = await Promise.all(Array.from({ length: count }, () => refresh(server, user.refreshToken)))
  const successors = new Set(answers.map(({ body }) => body.refresh_token))
  const refused = answers.filter(({ status }) => status !== 200).length
  const lost = await refresh(server, user.refreshToken)
  return [
    ...(refused > 0 ? [`${refused} of ${count} at once were refused`] : []),
    ...(successors.size === 1 ? [] : [`${successors.size} successors of one token`]),
    ...(lost.body.refresh_token === [...successors][0] ? [] : ['after a lost answer there is another successor']),
  ]
}

export const refreshReuse: Scenario = {
  name: 'refresh-reuse',
  bar: '0 live tokens after reuse; 50 at once make 1 successor; a lost answer is asked for again',
  withinSeconds: 60,
  async run(size): Promise<Outcome> {
    const server = await startServer({}, { instances: 2 })
    const rounds = size === 'long' ? 20 : 2
    const reused: string[] = []
    const doubled: string[] = []
    for (let n = 0; n < rounds; n++) {
      reused.push(...(await reuse(server)))
      doubled.push(...(await parallel(server, 50)))
    }
    await server.stop()
    return allOf([
      noneOf(reused, 5 * rounds, 'tokens live after reuse'),
      noneOf(doubled, rounds, 'rounds of 50 at once went wrong'),
    ])
  },
}
