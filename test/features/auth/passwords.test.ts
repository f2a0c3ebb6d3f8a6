import { describe, expect, it } from 'bun:test'
import { createPasswords } from '../../../src/features/auth/passwords.ts'

describe('passwords', () => {
  it('are bcrypt of cost 12', async () => {
    const passwords = createPasswords({ algorithm: 'bcrypt', concurrency: 2 })
    const hash = await passwords.hash('SecurePass1')
    expect(hash).toStartWith('$2b$12$')
    expect(await passwords.verify('SecurePass1', hash)).toBe(true)
    expect(await passwords.verify('SecurePass2', hash)).toBe(false)
    expect(passwords.needsRehash(hash)).toBe(false)
  })

  it('count beyond the 72 bytes that bcrypt looks at, and beyond U+0000', async () => {
    const passwords = createPasswords({ algorithm: 'bcrypt', concurrency: 2 })
    const long = 'Пароль1'.repeat(6)
    const [hash, short] = await Promise.all([passwords.hash(`${long}A`), passwords.hash('SecurePass1')])
    expect(await Promise.all([passwords.verify(`${long}A`, hash), passwords.verify(`${long}B`, hash)])).toEqual([
      true,
      false,
    ])
    expect(await passwords.verify('SecurePass1\u0000anything', short)).toBe(false)
  })

  it('may be argon2id, and each knows the other as outdated', async () => {
    const argon = createPasswords({ algorithm: 'argon2id', concurrency: 2 })
    const bcrypt = createPasswords({ algorithm: 'bcrypt', concurrency: 2 })
    const hash = await argon.hash('SecurePass1')
    expect(hash).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$')
    expect(argon.needsRehash(hash)).toBe(false)
    expect(bcrypt.needsRehash(hash)).toBe(true)
    expect(await bcrypt.verify('SecurePass1', hash)).toBe(true)
    expect(argon.needsRehash(await Bun.password.hash('SecurePass1', { algorithm: 'bcrypt', cost: 4 }))).toBe(true)
    await argon.verifyNothing('SecurePass1')
  })

  it('are the same however accents are composed', async () => {
    const argon = createPasswords({ algorithm: 'argon2id' })
    expect(await argon.verify('Se\u0301cure1', await argon.hash('S\u00e9cure1'))).toBe(true)
  })

  it('never match the mark of a deleted account', async () => {
    const passwords = createPasswords({ algorithm: 'bcrypt' })
    expect(await passwords.verify('!', '!')).toBe(false)
    expect(await passwords.verify('', '')).toBe(false)
  })

  it('takes the time of a real check for nobody', async () => {
    for (const algorithm of ['bcrypt', 'argon2id'] as const) {
      const passwords = createPasswords({ algorithm })
      const hash = await passwords.hash('SecurePass1')
      // The quickest of three: what else the machine does can only add to it.
      const took = async (work: () => Promise<unknown>) => {
        const times: number[] = []
        for (let n = 0; n < 3; n++) {
          const start = performance.now()
          await work()
          times.push(performance.now() - start)
        }
        return Math.min(...times)
      }
      const real = await took(() => passwords.verify('Wrong1234', hash))
      const nothing = await took(() => passwords.verifyNothing('Wrong1234'))
      // Wide, for a busy machine: a decoy that is not understood would return at once.
      expect(nothing).toBeGreaterThan(real / 4)
    }
  })

  it('sheds load when too many wait, and serves the others', async () => {
    const passwords = createPasswords({ algorithm: 'argon2id', concurrency: 1, queueLimit: 2 })
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.hash('SecurePass1')))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')
    expect(refused?.reason).toMatchObject({ status: 503 })
    expect(await passwords.hash('SecurePass1')).toStartWith('$argon2id$')
  })
})
