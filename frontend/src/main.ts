import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layers.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { firstDraw } from './lib/page/first-draw.svelte';
import { pageUpdate } from './lib/page/page-update.svelte';
import { preferences } from './lib/page/preferences.svelte';
import { session } from './lib/server/session.svelte';
import { removeOldDrafts } from './lib/task/drafts.svelte';
import { i18n, loadLanguage } from './lib/words/i18n.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
preferences.start();
removeOldDrafts();
// Who is here is asked while the words come.
void session.start();
// Not awaited at the top: chunks that come later import this one, and would wait for it.
void loadLanguage(i18n.language).then(() => mount(App, { target }));
void pageUpdate.start();
firstDraw.start();
