// @ts-check
/** What the server answers, in plain words. */

/** @typedef {{error?: string, error_description?: string}} ErrorBody */

/** @type {Record<number, (retry: string, description: string) => string>} */
const WORDS = {
  401: () => "The username or the password is wrong.",
  403: (_retry, description) => `This is not allowed here: ${description}.`,
  409: () => "This username or this address is registered already.",
  429: (retry) => `Too many requests from your address: try ${retry}.`,
  503: (retry, description) => `The server cannot do this just now (${description}): try ${retry}.`,
};

/**
 * An error as a sentence.
 *
 * @param {number} status
 * @param {ErrorBody} body
 * @param {string | null} retryAfter the header, in whole seconds
 * @returns {string}
 */
export function answerInWords(status, { error, error_description: description }, retryAfter) {
  const said = description ?? error ?? `status ${status}`;
  const isSeconds = retryAfter !== null && /^\d+$/.test(retryAfter);
  const retry = isSeconds ? `again in ${retryAfter} s` : "again later";
  return WORDS[status]?.(retry, said) ?? `The server refused this: ${said}.`;
}
