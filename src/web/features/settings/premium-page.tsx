import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { date } from '../../i18n/format.ts'
import { locale, t } from '../../i18n/language.ts'
import { uuid } from '../../platform/uuid.ts'
import { useAsked } from '../../state/asked.ts'
import { client, refreshMe } from '../../state/client.ts'
import { attempt } from '../../state/failures.ts'
import { Button } from '../../ui/button.tsx'
import { Loading } from '../../ui/empty.tsx'
import { Page } from '../../ui/page.tsx'

const OFFERS = [
  { type: 'premium_monthly', amount: 4.99 },
  { type: 'premium_yearly', amount: 49.99 },
] as const

const money = (amount: number) => amount.toLocaleString(locale.value, { style: 'currency', currency: 'USD' })
/** A day of the server, as that day here. */
const dayOf = (day: string) => date(new Date(`${day}T12:00:00`))

export function PremiumPage() {
  const asked = useAsked(async () => {
    const [mine, { payments }] = await Promise.all([client.api.subscription(), client.api.listPayments({ limit: 20 })])
    return { mine, payments }
  })
  const busy = useSignal<string | undefined>(undefined)
  /** One key for every try of a purchase: it is charged once. */
  const keys = useRef<Record<string, string>>({})
  const buy = async (type: (typeof OFFERS)[number]['type']) => {
    busy.value = type
    keys.current[type] ??= uuid()
    const key = keys.current[type]
    const isBought = await attempt(() => client.api.purchase(type, key))
    if (isBought) {
      delete keys.current[type]
      await attempt(() => Promise.all([asked.refresh(), refreshMe()]))
    }
    busy.value = undefined
  }
  const stop = async () => {
    await attempt(() => client.api.cancelSubscription())
    await asked.refresh()
  }
  const { value } = asked
  const subscription = value?.mine.subscription
  return (
    <Page title={t().premium} parent={['settings']}>
      {asked.trouble && <p class="notice danger">{asked.trouble}</p>}
      {!value && !asked.trouble && <Loading />}
      {value && (
        <div class="page">
          <section class="card">
            <h2>{t().premium}</h2>
            <p>
              {value.mine.is_premium && subscription ? t().premiumOn(dayOf(subscription.end_date)) : t().premiumLead}
            </p>
            {value.mine.is_premium && subscription?.auto_renew === false && <p class="field-hint">{t().notRenewed}</p>}
            {subscription?.status === 'active' && value.mine.is_premium && subscription.auto_renew && (
              <Button isSmall onClick={stop}>
                {t().stopRenewal}
              </Button>
            )}
          </section>
          {OFFERS.map(({ type, amount }) => (
            <section key={type} class="card">
              <div class="price">
                <strong>{money(amount)}</strong>
                <span class="muted">{type === 'premium_monthly' ? t().monthly : t().yearly}</span>
              </div>
              <Button
                kind="primary"
                isBusy={busy.value === type}
                disabled={busy.value !== undefined}
                onClick={() => buy(type)}
              >
                {value.mine.is_premium ? t().extend : t().buy}
              </Button>
            </section>
          ))}
          <p class="field-hint">{t().stubNote}</p>
          <section class="stack">
            <h2 class="field-label">{t().payments}</h2>
            {value.payments.length === 0 && <p class="muted">{t().noPayments}</p>}
            {value.payments.map((payment) => (
              <div key={payment.id} class="row-line">
                <span class="row-name">{money(payment.amount)}</span>
                <span class="muted">{date(new Date(payment.created_at))}</span>
              </div>
            ))}
          </section>
        </div>
      )}
    </Page>
  )
}
