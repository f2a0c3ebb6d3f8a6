/** The shipped coturn configuration under a real coturn, asked with the credentials that the server gives out. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createHmac, randomBytes } from 'node:crypto'
import { connect } from 'node:tls'
import { startCoturn, type TestCoturn } from '../../support/coturn.ts'
import { freePort } from '../../support/redis.ts'
import { startServer, type TestServer } from '../../support/server.ts'

let coturn: TestCoturn
let server: TestServer
let echo: Bun.udp.Socket<'buffer'>
let users = 0
beforeAll(async () => {
  coturn = await startCoturn()
  server = await startServer({ TURN_URLS: coturn.urls, TURN_SECRET: coturn.secret })
  echo = await Bun.udpSocket({
    hostname: coturn.address,
    port: freePort(),
    socket: { data: (socket, data, port, from) => void socket.send(data, port, from) },
  })
})
afterAll(async () => {
  echo.close()
  await server.stop()
  await coturn.stop()
})

interface Credentials {
  username: string
  credential: string
}

/** As a client gets them. Each of a user of its own, whom no quota knows yet. */
async function issue(): Promise<Credentials> {
  const user = await server.addUser()
  const { body } = await user.get('/calls/ice-servers')
  return body.ice_servers.find(({ username }: Partial<Credentials>) => username !== undefined)
}

/** As somebody makes them who knows the secret. */
function forge(expiresIn: number, secret = coturn.secret): Credentials {
  const username = `${Math.floor(Date.now() / 1000) + expiresIn}:user_${++users}`
  return { username, credential: createHmac('sha1', secret).update(username).digest('base64') }
}

/** Asks for a relay and leave to talk to the peer, and sends `messages` there. @returns what turnutils_uclient said */
async function relay({ username, credential }: Credentials, peer: string, messages = 0, options: string[] = []) {
  const family = peer.includes(':') ? ['-x'] : []
  const who = ['-u', username, '-w', credential, '-p', `${coturn.port}`]
  const what = ['-c', '-n', `${messages}`, '-e', peer, '-r', `${echo.port}`, ...family, ...options]
  const child = Bun.spawn(['turnutils_uclient', ...who, ...what, coturn.address], { stdout: 'pipe', stderr: 'pipe' })
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const output = (await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])).join('')
  clearTimeout(timer)
  return { isDone: (await child.exited) === 0, output }
}

describe('the credentials of the server', () => {
  it('relay, by UDP and by TCP, what a peer answers', async () => {
    for (const transport of [[], ['-t']]) {
      const { isDone, output } = await relay(await issue(), coturn.address, 8, transport)
      // Datagrams may be lost, and are on a busy machine.
      const received = Math.max(...[...output.matchAll(/tot_recv_msgs=(\d+)/g)].map(([, count]) => Number(count)))
      expect({ transport, received, isDone }).toEqual({ transport, received: expect.any(Number), isDone: true })
      expect(received).toBeWithin(1, 9)
    }
    expect(coturn.log()).toContain('ALLOCATE processed, success')
  }, 120_000)

  it('are refused expired, altered, for another user and with another secret', async () => {
    const { username, credential } = await issue()
    const altered = `${credential.startsWith('A') ? 'B' : 'A'}${credential.slice(1)}`
    const faulty = [
      forge(-5),
      forge(3600, 'another secret of some length, unknown to coturn'),
      { username, credential: altered },
      { username: username.replace(':', ':x'), credential },
      { username: `9${username}`, credential },
      { username: username.split(':')[1] ?? '', credential },
    ]
    for (const one of faulty) {
      const { isDone, output } = await relay(one, coturn.address)
      expect(output).toMatch(/Cannot complete Allocation/)
      expect(isDone).toBe(false)
    }
  }, 60_000)

  it('get a user so many relays and no more', async () => {
    const credentials = await issue()
    const { output } = await relay(credentials, coturn.address, 0, ['-m', '30'])
    expect(output).toContain('486 (Allocation Quota Reached)')
  }, 60_000)
})

describe('the relay', () => {
  const FORBIDDEN = 'error 403 (Forbidden IP)'
  const forbidden = [
    ...['127.0.0.1', '127.255.255.254', '10.0.0.1', '10.255.255.254', '172.16.0.1', '172.31.255.254', '192.168.1.1'],
    ...['169.254.169.254', '100.64.0.1', '100.127.255.254', '0.0.0.0', '0.0.0.1', '224.0.0.1', '239.1.1.1'],
    ...['240.0.0.1', '255.255.255.255', '192.0.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'],
  ]
  const forbidden6 = [
    ...['::', '::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '::ffff:0:127.0.0.1'],
    ...['64:ff9b::127.0.0.1', '64:ff9b:1::1', '2002:7f00:1::1', '2001:0:1::1', '2001:db8::1', 'fc00::1', 'fd00::1'],
    ...['fe80::1', 'fec0::1', 'ff02::1'],
  ]
  const open = ['1.1.1.1', '8.8.8.8', '100.63.255.254', '100.128.0.1', '172.32.0.1', '11.0.0.1', '223.255.255.254']
  const open6 = ['2606:4700::1111', '2a00:1450:4001::1', '2001:200::1', '2003::1']

  /** Nothing is sent to any of them. */
  const tryAll = (peers: readonly string[]) =>
    Promise.all(peers.map(async (peer) => ({ peer, ...(await relay(forge(3600), peer)) })))

  it('does not reach this machine, its neighbours or any special address', async () => {
    for (const { peer, isDone, output } of await tryAll(forbidden)) {
      expect({ peer, isDone, isForbidden: output.includes(FORBIDDEN) }).toEqual({
        peer,
        isDone: false,
        isForbidden: true,
      })
    }
  }, 120_000)

  it('does not reach them by IPv6 either, in whatever form they are written', async () => {
    for (const { peer, isDone, output } of await tryAll(forbidden6)) {
      // On a machine without IPv6 there is no relay to ask it of.
      const isRefused = output.includes(coturn.hasIpv6 ? FORBIDDEN : 'Cannot complete Allocation')
      expect({ peer, isDone, isRefused }).toEqual({ peer, isDone: false, isRefused: true })
    }
  }, 120_000)

  it('reaches the rest of the internet', async () => {
    for (const { peer, isDone } of await tryAll(coturn.hasIpv6 ? [...open, ...open6] : open)) {
      expect({ peer, isDone }).toEqual({ peer, isDone: true })
    }
  }, 120_000)

  /** RFC 8489, 5: a Binding request. @returns the version of TLS by which its answer came; undefined without one */
  const bindByTls = (maxVersion: 'TLSv1.1' | 'TLSv1.3') =>
    new Promise<string | undefined>((resolve) => {
      const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)])
      const options = { host: coturn.address, port: coturn.tlsPort, rejectUnauthorized: false, maxVersion }
      const socket = connect({ ...options, minVersion: 'TLSv1' }, () => socket.write(request))
      const end = (version?: string) => {
        socket.destroy()
        resolve(version)
      }
      socket.on('data', (answer: Buffer) => {
        const isSuccess = answer.readUInt16BE(0) === 0x0101 && answer.subarray(8, 20).equals(request.subarray(8))
        end(isSuccess ? String(socket.getProtocol()) : undefined)
      })
      socket.on('error', () => end())
      // A greeting of a version that it does not speak is not even answered.
      if (maxVersion === 'TLSv1.1') setTimeout(end, 3000)
    })

  it('is there by TLS too, in no version that is broken', async () => {
    expect(['TLSv1.2', 'TLSv1.3']).toContain(String(await bindByTls('TLSv1.3')))
    expect(await bindByTls('TLSv1.1')).toBeUndefined()
  })

  it('has no line to administer it by', async () => {
    const cli = await fetch('http://127.0.0.1:5766').then(
      () => 'open',
      () => 'closed',
    )
    expect(cli).toBe('closed')
    expect(coturn.log()).not.toMatch(/CLI listener opened|unknown|Bad configuration/i)
  })
})
