/**
 * Markup from templates: every value in them is escaped, unless it is markup itself. By another name
 * than Hono's, since `deno fmt` would put white space into what goes by that one.
 */

export { html as markup, raw } from "hono/html";
