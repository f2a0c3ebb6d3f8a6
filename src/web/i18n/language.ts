/** The language of the page. Another one is a file beside these and a line here. */
import { computed, signal } from '@preact/signals'
import { en, type Messages } from './en.ts'

interface Language {
  /** In itself. */
  name: string
  direction: 'ltr' | 'rtl'
  load(): Promise<Messages>
}

export const languages = {
  en: { name: 'English', direction: 'ltr', load: async () => en },
  ru: { name: 'Русский', direction: 'ltr', load: async () => (await import('./ru.ts')).ru },
} satisfies Record<string, Language>
export type LanguageCode = keyof typeof languages

const KEY = 'language'
const isKnown = (code: string | null | undefined): code is LanguageCode => code != null && code in languages

export const language = signal<LanguageCode>('en')
const catalogue = signal<Messages>(en)
/** The texts in the language of the page: a component that reads them follows a change. */
export const t = (): Messages => catalogue.value
/** BCP 47, for Intl: the region comes from the browser where it speaks the same language. */
export const locale = computed(
  () => navigator.languages.find((tag) => tag.split('-')[0] === language.value) ?? language.value,
)

export async function setLanguage(code: LanguageCode): Promise<void> {
  catalogue.value = await languages[code].load()
  language.value = code
  document.documentElement.lang = code
  document.documentElement.dir = languages[code].direction
  localStorage.setItem(KEY, code)
}

/** What was chosen here before, else the first one the browser asks for that we have. */
export function findLanguage(): LanguageCode {
  const chosen = localStorage.getItem(KEY)
  if (isKnown(chosen)) return chosen
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isKnown) ?? 'en'
}
