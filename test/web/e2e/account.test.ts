/** One's own account: faults of forms in people's words, the profile, the password, sessions, blocks, premium. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Browser } from 'playwright-core'
import { PASSWORD, startServer, type TestServer } from '../../support/server.ts'
import { eventually, newMachine, newPerson, type Person, startBrowser } from './browser.ts'

let server: TestServer
let browser: Browser
let ann: Person
let ben: Person

beforeAll(async () => {
  server = await startServer()
  browser = await startBrowser()
  ;[ann, ben] = await Promise.all([newPerson(browser, server.url, 'ann'), newPerson(browser, server.url, 'ben')])
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

const focusedLabel = (person: Person) =>
  person.page.evaluate(() => document.querySelector(`label[for="${document.activeElement?.id}"]`)?.textContent)

describe('registering and signing in', () => {
  it('say what is wrong at its field, and lead there', async () => {
    const machine = await newMachine(browser, server.url)
    const page = await machine.newPage()
    const faults = () => page.locator('.field-error').allTextContents()
    const focused = () => focusedLabel({ page } as Person)
    await page.goto('/')
    await page.getByRole('button', { name: 'Sign in' }).click()
    expect(await faults()).toEqual(['Fill this in', 'Fill this in'])
    await eventually(async () => expect(await focused()).toBe('Phone or e-mail'))
    await page.getByLabel('Phone or e-mail').fill(ann.phone)
    await page.getByLabel('Password', { exact: true }).fill('not this one')
    await page.keyboard.press('Enter')
    await page.getByText('Wrong phone, e-mail or password').waitFor()
    await page.getByRole('button', { name: 'New here?' }).click()
    await page.getByLabel('Username').fill('ann')
    await page.getByLabel('Phone').fill('12 34')
    await page.getByLabel('Password', { exact: true }).fill('short')
    await page.getByRole('button', { name: 'Show password' }).click()
    expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text')
    await page.getByRole('button', { name: 'Create account' }).click()
    await eventually(async () =>
      expect(await faults()).toEqual([
        'Write it with the country code: +12025550101',
        'At least 8 characters, with upper and lower case and a digit',
      ]),
    )
    await eventually(async () => expect(await focused()).toBe('Phone'))
    await page.getByLabel('Phone').fill(ann.phone)
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Create account' }).click()
    await eventually(async () => expect(await faults()).toEqual(['Already taken', 'Already registered']))
    // What is wrong is read with the field, and is gone when one types.
    const field = page.getByLabel('Username')
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await field.fill('ann2')
    expect(await faults()).toEqual(['Already registered'])
    expect(machine.complaints).toEqual([])
    await machine.context.close()
  })
})

describe('the profile', () => {
  it('is changed, kept, and seen by others', async () => {
    const { page } = ann
    await page.goto('/#/settings/profile')
    await page.getByLabel('Username').fill('ben')
    await page.getByLabel('About').fill('Boats.\nسفن')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Already taken').waitFor()
    await page.getByLabel('Username').fill('ann_of_the_boats')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved').waitFor()
    await ben.openDmWith('ann_of')
    await ben.page.getByRole('button', { name: 'Info' }).click()
    await ben.page.locator('.pane.info dd', { hasText: 'Boats.' }).waitFor()
  })
})

describe('sessions', () => {
  it('are listed; ending one signs that device out at once, and says so there', async () => {
    const machine = await newMachine(browser, server.url)
    const phone = await machine.newPage()
    await ann.signIn(phone)
    const { page } = ann
    await page.goto('/#/settings/sessions')
    const others = page.locator('.rows .row', { hasNotText: 'this device' })
    await eventually(async () => expect(await others.count()).toBeGreaterThan(0))
    expect(await page.locator('.rows .row', { hasText: 'this device' }).count()).toBe(1)
    expect(await page.locator('.rows .row', { hasText: 'this device' }).getByRole('button').count()).toBe(0)
    const count = await others.count()
    await others.filter({ hasText: 'Chrome' }).first().getByRole('button', { name: 'End session' }).click()
    await phone.getByText('You were signed out.').waitFor()
    await phone.getByLabel('Phone or e-mail').waitFor()
    await eventually(async () => expect(await others.count()).toBe(count - 1))
    // Nothing of mine stays on that device.
    const left = await phone.evaluate(async () => {
      const databases = await indexedDB.databases()
      return databases.map(({ name }) => name)
    })
    expect(left.length).toBeLessThan(2)
    await phone.reload()
    await phone.getByLabel('Phone or e-mail').waitFor()
    await ann.signIn(phone)
    await page.reload()
    await page.getByRole('button', { name: 'End all other sessions' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End all other sessions' }).click()
    await phone.getByText('You were signed out.').waitFor()
    await eventually(async () => expect(await others.count()).toBe(0))
    expect(await page.getByRole('button', { name: 'End all other sessions' }).count()).toBe(0)
    expect(machine.complaints).toEqual([])
    await machine.context.close()
  })

  it('end with another password, but for this one', async () => {
    const machine = await newMachine(browser, server.url)
    const phone = await machine.newPage()
    await ben.signIn(phone)
    const { page } = ben
    await page.goto('/#/settings')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByLabel('Current password').fill('Not-this-1')
    await page.getByLabel('New password').fill('Another-Password-1')
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('This is not your password').waitFor()
    await eventually(async () => expect(await focusedLabel(ben)).toBe('Current password'))
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Change password' }).click()
    await page.getByText('Password changed.').waitFor()
    await phone.getByText('You were signed out.').waitFor()
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
    await page.goto('/#/settings/sessions')
    await page.getByText('this device').waitFor()
    await machine.context.close()
  })
})

describe('premium', () => {
  it('is bought and extended; every payment is listed, and none comes by itself', async () => {
    const { page } = ann
    await page.goto('/#/settings/premium')
    await page.getByText('No payments yet.').waitFor()
    await page.getByRole('button', { name: 'Get premium' }).first().click()
    await page.getByText('Active until').waitFor()
    const until = () => page.locator('.card p').first().textContent()
    const first = await until()
    await page.locator('.row-line', { hasText: '4.99' }).waitFor()
    await page.getByRole('button', { name: 'Extend' }).nth(1).click()
    await page.locator('.row-line', { hasText: '49.99' }).waitFor()
    await eventually(async () => expect(await until()).not.toBe(first))
    await page.getByText('It is not renewed by itself.').waitFor()
    await ben.page.goto(`/#/user/${await ann.userId()}`)
    await ben.page.locator('.profile-head .tag', { hasText: 'Premium' }).waitFor()
  })
})

describe('who is blocked', () => {
  it('writes in vain, is told so, and gets through once unblocked', async () => {
    await ben.page.goto(`/#/user/${await ann.userId()}`)
    await ben.page.getByRole('button', { name: 'Block' }).click()
    await ben.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click()
    await ben.page.getByRole('button', { name: 'Unblock' }).waitFor()
    await ann.page.goto('/#/')
    await ann.openChat('ben')
    await ann.say('Are you angry?')
    const row = ann.message('Are you angry?')
    await row.getByText('This user does not take messages from you').waitFor()
    await ann.chatRow('ben').locator('.ticks[title="Not sent"]').waitFor()
    await ben.page.goto('/#/settings/blocks')
    await ben.page.locator('.row', { hasText: 'ann' }).getByRole('button', { name: 'Unblock' }).click()
    await ben.page.getByText('You have blocked nobody.').waitFor()
    await row.getByRole('button', { name: 'Try again' }).click()
    await eventually(async () => expect(await row.locator('.ticks').getAttribute('title')).toMatch(/Sent|Read/))
    await ben.page.goto('/#/')
    await ben.openChat('ann')
    await ben.sees('Are you angry?')
    expect(await ben.reads()).toEqual(['Are you angry?'])
  })
})

describe('without a network', () => {
  it('a page that needs one says so, and has what it needs when it is back', async () => {
    const { page, machine } = ann
    await machine.context.setOffline(true)
    for (const path of ['settings/sessions', 'settings/premium', 'settings/blocks', 'channels']) {
      await page.goto(`/#/${path}`)
      await page.locator('.notice.danger, .empty', { hasText: 'No connection' }).first().waitFor()
      expect(await page.locator('.pane.side .loading').count()).toBe(0)
    }
    await machine.context.setOffline(false)
    await page.goto('/#/settings/sessions')
    await page.getByText('this device').waitFor()
  })
})

describe('what is not there', () => {
  it('is told in words, whichever address led to it', async () => {
    const { page } = ann
    for (const chat of ['019ab000-0000-7000-8000-000000000000', 'nonsense']) {
      await page.goto(`/#/?chat=${chat}`)
      await page.getByText('This chat is not there, or not for you.').waitFor()
    }
    await page.goto('/#/join/abcdefghijkl')
    await page.getByText('This invite does not work any more.').waitFor()
    await page.goto('/#/user/019ab000-0000-7000-8000-000000000000')
    await page.getByText('User not found').waitFor()
  })
})

describe('the language', () => {
  it('is changed at once, kept, and that of faults too', async () => {
    const { page } = ben
    await page.goto('/#/settings/appearance')
    await page.getByLabel('Language').selectOption('ru')
    await page.getByRole('heading', { name: 'Оформление' }).waitFor()
    await page.goto('/#/settings/password')
    await page.reload()
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('ru')
    await page.locator('input[autocomplete="current-password"]').fill('x')
    await page.locator('input[autocomplete="new-password"]').fill('short')
    await page.keyboard.press('Enter')
    await page.getByText('От 8 до 128 символов').waitFor()
  })
})

describe('an account', () => {
  it('is deleted after a question; its messages stay, without a name', async () => {
    const { page } = ann
    await page.goto('/#/settings/profile')
    await page.getByRole('button', { name: 'Delete account' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Delete account' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete account' }).click()
    await page.getByLabel('Phone or e-mail').waitFor()
    await ben.page.reload()
    await ben.page.goto('/#/')
    await ben.openChat('Удалённый аккаунт')
    await ben.sees('Are you angry?')
    expect(await ben.composer().count()).toBe(0)
  })
})

it('nobody complains of anything', () => {
  expect([...ann.machine.complaints, ...ben.machine.complaints]).toEqual([])
})
