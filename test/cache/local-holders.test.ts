import { describe, expect, it } from 'bun:test'
import { createLocalHolders } from '../../src/cache/local-holders.ts'

describe('what is held on this instance', () => {
  it('is counted, whether the group is named after its member or not', () => {
    const local = createLocalHolders()
    const ada = { group: 'online:ada', member: 'ada' }
    const ben = { group: 'online:ada', member: 'ben' }
    expect([local.add(ada), local.add(ada), local.add(ben)]).toEqual([true, false, true])
    expect(local.members('online:ada').sort()).toEqual(['ada', 'ben'])
    expect([local.remove(ada), local.has(ada), local.remove(ada), local.has(ada)]).toEqual([false, true, true, false])
    expect(local.members('online:ada')).toEqual(['ben'])
    expect([local.remove(ada), local.remove(ben), local.members('online:ada').length]).toEqual([false, true, 0])
    expect(local.groups()).toEqual([])
  })

  it('is listed by the names of its groups', () => {
    const local = createLocalHolders()
    local.add({ group: 'online:ada', member: 'ada' })
    local.add({ group: 'online:ben', member: 'ben' })
    local.add({ group: 'chat:1', member: 'ada' })
    local.add({ group: 'chat:1', member: 'ben' })
    expect(local.groups().sort()).toEqual(['chat:1', 'online:ada', 'online:ben'])
    expect(local.groups().map((group) => local.members(group).length)).toEqual([2, 1, 1])
    expect(local.members('online:cleo')).toEqual([])
  })
})
