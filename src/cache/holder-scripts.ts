/** What Redis does with the holders of a group and with the instances, each in one step and by its own clock. */
import { defineScript } from '../redis/client.ts'

const NOW = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
`
/** Whoever did not hold anew in time is gone. */
const DROP_EXPIRED = `redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)`
const IS_HELD = `
  local function is_held(member)
    local prefix = member .. ' '
    for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
      if string.sub(entry, 1, #prefix) == prefix then return 1 end
    end
    return 0
  end
`

/** ARGV: member, instance, milliseconds it is held, milliseconds the key lives. Answers whether it was held before. */
export const HOLD = defineScript(`
  ${NOW} ${DROP_EXPIRED} ${IS_HELD}
  local was_held = is_held(ARGV[1])
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1] .. ' ' .. ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return was_held
`)

/** ARGV: instance, milliseconds they are held, milliseconds the key lives, members. */
export const HOLD_ANEW = defineScript(`
  ${NOW} ${DROP_EXPIRED}
  for n = 4, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[n] .. ' ' .. ARGV[1]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 1
`)

/** What an instance holds. ARGV: milliseconds the key lives, entries. */
export const ADD_HOLDS = defineScript(`
  for n = 2, #ARGV do redis.call('SADD', KEYS[1], ARGV[n]) end
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 1
`)

/** ARGV: member, instance. Answers whether somebody else holds it. */
export const RELEASE = defineScript(`
  ${NOW} ${DROP_EXPIRED} ${IS_HELD}
  redis.call('ZREM', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
  return is_held(ARGV[1])
`)

/** ARGV: member. */
export const ASK_HELD = defineScript(`
  ${NOW} ${IS_HELD}
  return is_held(ARGV[1])
`)

/** ARGV: how many at most. */
export const LIST = defineScript(`
  ${NOW}
  local members, seen = {}, {}
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')) do
    local member = string.match(entry, '^%S+')
    if #members < tonumber(ARGV[1]) and not seen[member] then
      seen[member] = true
      members[#members + 1] = member
    end
  end
  return members
`)

/** ARGV: instance, milliseconds it lives, milliseconds the key lives. Answers whether it was cleared up after before. */
export const BE_ALIVE = defineScript(`
  ${NOW}
  local score = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0)
  if score < 0 then return 1 end
  redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
  return 0
`)

/**
 * Marks the dead as cleared up after and answers them, so that of two who ask only one gets each. ARGV: the milliseconds
 * after which one that was cleared up after is forgotten.
 */
export const TAKE_DEAD = defineScript(`
  ${NOW}
  redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[1] - now, '(0')
  local dead = redis.call('ZRANGEBYSCORE', KEYS[1], 0, now)
  for _, instance in ipairs(dead) do redis.call('ZADD', KEYS[1], -now, instance) end
  return dead
`)
