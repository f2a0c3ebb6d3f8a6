/** Settings that are a switch or a short form. */
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { type LanguageCode, language, languages, setLanguage, t } from '../../i18n/language.ts'
import { areNotificationsOn, isTextShown, setNotifications, setTextShown } from '../../platform/notify.ts'
import { client } from '../../state/client.ts'
import { createForm } from '../../state/failures.ts'
import { goBack } from '../../state/route.ts'
import { setTheme, THEMES, theme } from '../../state/theme.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Page } from '../../ui/page.tsx'
import { toast } from '../../ui/toast.tsx'

const parent = ['settings']

/** One stop for Tab; arrows choose (ARIA Authoring Practices, radio group). */
function chooseByArrow(event: KeyboardEvent): void {
  const isLeftward = getComputedStyle(document.documentElement).direction === 'rtl'
  const forward = isLeftward ? -1 : 1
  const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: 1, ArrowUp: -1 }[event.key]
  if (step === undefined) return
  event.preventDefault()
  const next = (THEMES.indexOf(theme.value) + step + THEMES.length) % THEMES.length
  setTheme(THEMES[next] ?? 'system')
  ;(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role="radio"]')[next]?.focus()
}

export function AppearancePage() {
  const names = { system: t().themeSystem, light: t().themeLight, dark: t().themeDark }
  return (
    <Page title={t().appearance} parent={parent}>
      <div class="page">
        <div class="field">
          <span class="field-label" id="theme-label">
            {t().theme}
          </span>
          <div class="segments" role="radiogroup" aria-labelledby="theme-label" onKeyDown={chooseByArrow}>
            {THEMES.map((name) => (
              // biome-ignore lint/a11y/useSemanticElements: a radio cannot look like this
              <button
                key={name}
                type="button"
                role="radio"
                aria-checked={theme.value === name}
                tabIndex={theme.value === name ? 0 : -1}
                onClick={() => setTheme(name)}
              >
                {names[name]}
              </button>
            ))}
          </div>
        </div>
        <label class="field">
          <span class="field-label">{t().language}</span>
          <select
            class="input"
            value={language.value}
            onChange={(event) => setLanguage(event.currentTarget.value as LanguageCode)}
          >
            {Object.entries(languages).map(([code, { name }]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
    </Page>
  )
}

export function NotificationsPage() {
  const isRefused = useSignal('Notification' in globalThis && Notification.permission === 'denied')
  return (
    <Page title={t().notifications} parent={parent}>
      <div class="page">
        <label class="switch">
          {t().notifyOn}
          <input
            type="checkbox"
            role="switch"
            aria-checked={areNotificationsOn.value}
            checked={areNotificationsOn.value}
            onChange={async (event) => {
              const { checked } = event.currentTarget
              isRefused.value = !(await setNotifications(checked))
            }}
          />
        </label>
        {areNotificationsOn.value && (
          <label class="switch">
            {t().notifyText}
            <input
              type="checkbox"
              role="switch"
              aria-checked={isTextShown.value}
              checked={isTextShown.value}
              onChange={(event) => setTextShown(event.currentTarget.checked)}
            />
          </label>
        )}
        {isRefused.value && <p class="field-hint">{t().notifyRefused}</p>}
      </div>
    </Page>
  )
}

export function PasswordPage() {
  const before = useSignal('')
  const next = useSignal('')
  const form = useMemo(() => createForm(['old_password', 'new_password']), [])
  const save = async () => {
    const isDone = await form.submit(() =>
      client.api.changePassword({ old_password: before.value, new_password: next.value }),
    )
    if (!isDone) return
    toast(t().passwordChanged)
    goBack({ page: parent })
  }
  return (
    <Page title={t().changePassword} parent={parent}>
      <form
        class="page form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <Field
          type="password"
          label={t().oldPassword}
          autocomplete="current-password"
          value={before.value}
          error={form.faults.value.old_password}
          onInput={(text) => {
            before.value = text
            form.forget('old_password')
          }}
        />
        <Field
          type="password"
          label={t().newPassword}
          hint={t().passwordHint}
          autocomplete="new-password"
          value={next.value}
          error={form.faults.value.new_password}
          onInput={(text) => {
            next.value = text
            form.forget('new_password')
          }}
        />
        {form.trouble.value && <p class="field-error">{form.trouble.value}</p>}
        <Button kind="primary" type="submit" isBusy={form.isBusy.value} disabled={!before.value || !next.value}>
          {t().changePassword}
        </Button>
      </form>
    </Page>
  )
}
