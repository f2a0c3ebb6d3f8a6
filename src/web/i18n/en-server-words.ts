/** What the server says to programs, as one says it to people. */
export const serverWords: Record<string, string> = {
  'is already registered': 'Already registered',
  'is taken': 'Already taken',
  'is already taken': 'Already taken',
  'is not right': 'This is not your password',
  'must be an e-mail address': 'This is not an e-mail address',
  'must be a phone number in E.164 form, such as +1234567890': 'Write it with the country code: +12025550101',
  'must be 3 to 50 letters, digits or underscores': '3 to 50 letters, digits or _',
  'must be 8 to 128 characters with an upper-case letter, a lower-case letter and a digit':
    'At least 8 characters, with upper and lower case and a digit',
  'must be 1 to 255 characters of text, without U+0000 and lone surrogates': 'Write 1 to 255 characters',
  'must be a password': 'Write your password',
  'Validation failed': 'Something here is not right yet',
}
