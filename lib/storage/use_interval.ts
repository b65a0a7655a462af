/** How old `last_login` and `last_used` get before they are written again, in milliseconds. */
export const USE_INTERVAL = 60_000;
