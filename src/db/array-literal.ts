/**
 * Arrays as PostgreSQL reads them (the manual, 8.15.6), for statements that take thousands of elements: the driver, which
 * takes finished text as it is, would ask two regular expressions of every element.
 */
const SPECIAL = /["\\]/
const ALL_SPECIAL = /["\\]/g

/** `{"one",null,"two"}` of texts, which may hold anything but a NUL. */
export function textArray(values: readonly (string | null)[]): string {
  let elements = ''
  for (const value of values) {
    if (elements !== '') elements += ','
    if (value === null) elements += 'null'
    else elements += `"${SPECIAL.test(value) ? value.replace(ALL_SPECIAL, '\\$&') : value}"`
  }
  return `{${elements}}`
}

/** `{1,2}` of whole numbers. */
export const numberArray = (values: readonly number[]): string => `{${values.join()}}`
