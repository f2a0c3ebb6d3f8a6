/** What a name may look like, in one place for REST and the command line. */

export interface Rule {
  pattern: RegExp
  /** What to tell whoever broke it. */
  error: string
}

/** ITU-T E.164: a plus sign, a country code that starts with 1 to 9, at most 15 digits. */
export const phoneRule: Rule = {
  pattern: /^\+[1-9]\d{1,14}$/,
  error: 'must be a phone number in E.164 form, such as +1234567890',
}

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'

/** A dot-atom (RFC 5322, 3.4.1) at a domain with a dot, at most 254 characters (RFC 5321); space around it is forgiven. */
export const emailRule: Rule = {
  pattern: new RegExp(`^\\s*(?=\\S{3,254}\\s*$)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+${LABEL}\\s*$`),
  error: 'must be an e-mail address',
}

export const usernameRule: Rule = {
  pattern: /^[A-Za-z0-9_]{3,50}$/,
  error: 'must be 3 to 50 letters, digits or underscores',
}

/**
 * At least 8 characters with an upper-case letter, a lower-case letter and a digit, of any script. The hash takes every
 * byte of a long password; the upper bound only keeps the work small.
 */
export const passwordRule: Rule = {
  // Neither control characters (RFC 8265, 4.2) nor lone surrogates.
  pattern: /^(?=.*\p{Lu})(?=.*\p{Ll})(?=.*\p{Nd})[^\p{Cc}\p{Cs}]{8,128}$/su,
  error: 'must be 8 to 128 characters with an upper-case letter, a lower-case letter and a digit',
}

const rules = { phone: phoneRule, email: emailRule, username: usernameRule, password: passwordRule }

/** Each field that breaks its rule, with what is wrong; absent fields are left out. */
export function listFaults(fields: Partial<Record<keyof typeof rules, string>>): Record<string, string> {
  const names = Object.keys(rules) as (keyof typeof rules)[]
  const broken = names.filter((name) => fields[name] !== undefined && !rules[name].pattern.test(fields[name]))
  return Object.fromEntries(broken.map((name) => [name, rules[name].error]))
}
