import { render } from '../../src/kernel/render.ts';
import frontTemplate from '../../templates/pages/front.html.hbs';
import passwordTemplate from '../../templates/pages/password.html.hbs';
import { html, type Response } from './server.ts';
import type { Status } from './status.ts';

/** The page at `/`: what is there, with state. */
export function frontPage(status: Status, user: string): Response {
  return html(200, render('front.html.hbs', frontTemplate, { status, user, starting: !status.ready }));
}

/** The page at /password, with a message after a try. */
export function passwordPage(code: number, user: string, message: string): Response {
  return html(code, render('password.html.hbs', passwordTemplate, { user, message, good: code === 200 && message !== '' }));
}
