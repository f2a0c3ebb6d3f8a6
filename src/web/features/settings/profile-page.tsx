import { useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo } from 'preact/hooks'
import { t } from '../../i18n/language.ts'
import { client, sessionNow } from '../../state/client.ts'
import { attempt, createForm } from '../../state/failures.ts'
import { signOut } from '../../state/leaving.ts'
import { nameOfUser } from '../../state/names.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { ask } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Page } from '../../ui/page.tsx'
import { toast } from '../../ui/toast.tsx'
import { PictureButtons } from '../media/picture-buttons.tsx'

const MAX_BIO = 500

export function ProfilePage() {
  const { me, userId } = sessionNow()
  const username = useSignal(me?.username ?? '')
  const bio = useSignal(me?.bio ?? '')
  const form = useMemo(() => createForm(['username', 'bio']), [])
  // A page that was opened before the profile came. Before it is painted, or it would undo what is typed right then.
  useLayoutEffect(() => {
    username.value = me?.username ?? ''
    bio.value = me?.bio ?? ''
  }, [me?.username, me?.bio, username, bio])
  const save = async () => {
    const isSaved = await form.submit(async () => {
      await client.api.updateProfile({ username: username.value.trim(), bio: bio.value.trim() || null })
    })
    if (isSaved) toast(t().saved)
  }
  const isUnchanged = username.value.trim() === me?.username && bio.value.trim() === (me?.bio ?? '')
  return (
    <Page title={t().profile} parent={['settings']}>
      <div class="profile-head">
        <Avatar id={userId} name={nameOfUser(me)} url={me?.avatar_url} size={112} />
        <PictureButtons
          hasPicture={Boolean(me?.avatar_url)}
          onPick={(avatar) => client.api.updateProfile({ avatar })}
        />
      </div>
      <form
        class="page form"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <Field
          label={t().username}
          hint={t().usernameHint}
          value={username.value}
          error={form.faults.value.username}
          autocomplete="username"
          onInput={(text) => {
            username.value = text
            form.forget('username')
          }}
        />
        <Field
          isLong
          label={t().bio}
          placeholder={t().aboutHint}
          maxLength={MAX_BIO}
          value={bio.value}
          error={form.faults.value.bio}
          onInput={(text) => {
            bio.value = text
            form.forget('bio')
          }}
        />
        {form.trouble.value && <p class="field-error">{form.trouble.value}</p>}
        <Button kind="primary" type="submit" isBusy={form.isBusy.value} disabled={isUnchanged}>
          {t().save}
        </Button>
      </form>
      <dl class="facts">
        <div>
          <dt>{t().phone}</dt>
          <dd dir="ltr">{me?.phone}</dd>
        </div>
        {me?.email && (
          <div>
            <dt>{t().email}</dt>
            <dd dir="ltr">{me.email}</dd>
          </div>
        )}
      </dl>
      <div class="page">
        <Button
          kind="danger"
          icon="trash"
          onClick={async () => {
            if (!(await ask(t().deleteAccountAsk, t().deleteAccount))) return
            // The session ends with the account.
            if (await attempt(() => client.api.deleteAccount())) await attempt(signOut)
          }}
        >
          {t().deleteAccount}
        </Button>
      </div>
    </Page>
  )
}
