/** Of the document's routes those that fuzzing leaves out, each with its reason. */
export const FUZZ_EXCLUDED = new Set([
  // What works hashes a password for a quarter of a second; bodies that do not work are tested one by one in test/http.
  'POST /api/v1/auth/register',
  'POST /api/v1/auth/login',
  'PATCH /api/v1/users/me/password',
  // They end the session that all the others need.
  'POST /api/v1/auth/logout',
  'DELETE /api/v1/users/me',
])
