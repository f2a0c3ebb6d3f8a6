import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { type LanguageCode, language, languages, setLanguage, t } from '../../i18n/language.ts'
import { client } from '../../state/client.ts'
import { createForm } from '../../state/failures.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Logo } from '../../ui/logo.tsx'

type Name = 'phone' | 'email' | 'username' | 'password' | 'phone_or_email'

/** Signing in and registering: one card. What the server finds wrong stands at its field. */
export function AuthPage() {
  const isNew = useSignal(false)
  const values = useSignal<Record<Name, string>>({
    phone: '',
    email: '',
    username: '',
    password: '',
    phone_or_email: '',
  })
  const form = useMemo(() => createForm(['phone', 'email', 'username', 'password', 'phone_or_email']), [])
  const value = (name: Name) => values.value[name]
  const field = (name: Name) => ({
    name,
    value: value(name),
    error: form.faults.value[name],
    onInput(text: string) {
      values.value = { ...values.value, [name]: text }
      form.forget(name)
    },
  })
  const needed = (...names: Name[]) => Object.fromEntries(names.map((name) => [name, value(name)]))
  const submit = () =>
    form.submit(
      () => {
        const password = value('password')
        if (!isNew.value) return client.signIn({ phone_or_email: value('phone_or_email').trim(), password })
        // People write numbers in groups; the server takes digits.
        const phone = value('phone').replace(/[\s().-]/g, '')
        const email = value('email').trim() || undefined
        return client.register({ phone, email, username: value('username').trim(), password })
      },
      isNew.value ? needed('username', 'phone', 'password') : needed('phone_or_email', 'password'),
    )

  return (
    <main class="auth">
      <div class="auth-card">
        <div class="auth-head">
          <Logo size={64} />
          <h1>{isNew.value ? t().register : t().signIn}</h1>
          <p>{isNew.value ? t().registerLead : t().signInLead}</p>
        </div>
        <form
          class="form"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            submit()
          }}
        >
          {isNew.value ? (
            <>
              <Field {...field('username')} label={t().username} hint={t().usernameHint} autocomplete="username" />
              <Field
                {...field('phone')}
                label={t().phone}
                hint={t().phoneHint}
                type="tel"
                inputMode="tel"
                autocomplete="tel"
              />
              <Field {...field('email')} label={t().emailOptional} type="email" autocomplete="email" />
              <Field
                {...field('password')}
                label={t().password}
                hint={t().passwordHint}
                type="password"
                autocomplete="new-password"
              />
            </>
          ) : (
            <>
              <Field {...field('phone_or_email')} label={t().phoneOrEmail} isLeftToRight autocomplete="username" />
              <Field {...field('password')} label={t().password} type="password" autocomplete="current-password" />
            </>
          )}
          {form.trouble.value && (
            <p class="field-error" role="alert">
              <Icon name="alert" size={16} />
              <span>{form.trouble.value}</span>
            </p>
          )}
          <Button kind="primary" type="submit" isWide isBusy={form.isBusy.value}>
            {isNew.value ? t().register : t().signIn}
          </Button>
        </form>
        <div class="auth-foot">
          <Button
            kind="quiet"
            isSmall
            onClick={() => {
              isNew.value = !isNew.value
              form.faults.value = {}
              form.trouble.value = ''
            }}
          >
            {isNew.value ? t().toSignIn : t().toRegister}
          </Button>
          <LanguagePicker />
        </div>
      </div>
    </main>
  )
}

function LanguagePicker() {
  return (
    <label class="language">
      <Icon name="globe" size={18} />
      <span class="sr">{t().language}</span>
      <select value={language.value} onChange={(event) => setLanguage(event.currentTarget.value as LanguageCode)}>
        {Object.entries(languages).map(([code, { name }]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}
