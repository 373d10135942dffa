/* User 360: a chat on any page. How to use it: docs/how-to/put-the-chat-on-a-site.md */
(() => {
  'use strict';
  const early = window.User360;
  if (early && early.push && !Array.isArray(early)) return; // twice on a page is once
  const tag = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  const origin = new URL(tag.src, location.href).origin;
  const options = { workspace: 'default', position: 'right', theme: 'auto', ...tag.dataset };

  // Seconds: until a request is given up, a silent stream is, and a hidden page lets go of it.
  const PATIENCE = 20, SILENT = 45, HIDDEN = 300, SLOWEST = 30, TYPING = 5;
  const DRAWN = 1e7; // bytes of a picture that is drawn at most
  const ENDED = ['resolved', 'missed', 'closed'];

  // Other languages are asked of the server: channels/web/words.
  const ENGLISH = {
    title: 'Chat with us', open: 'Open the chat', close: 'Close the chat', write: 'Your message', send: 'Send',
    attach: 'Attach a file', remove: 'Remove', you: 'You', bot: 'Assistant', agent: 'Support', said: 'said',
    offline: 'No connection. What you write will be sent.', waiting: 'Will be sent', sending: 'Sending',
    failed: 'Not sent', again: 'Try again', older: 'Show earlier messages', typing: 'is typing',
    queued: 'Please wait, somebody will be with you soon.', place: 'You are number # in the queue.',
    with: 'You are talking to #.', sent: 'We have your message. Somebody will answer here.',
    over: 'This conversation has ended. Write to begin another.', unread: '# new messages', off: 'The chat is closed.',
    choose: 'Choose an answer', large: 'This file is too large.', upload: 'This file could not be sent.', log: 'Messages',
  };
  let words = ENGLISH;
  const language = () => options.language || document.documentElement.lang || navigator.language || 'en';
  const word = (name, value) => words[name].replace('#', value);

  // What is kept in the browser; where that is forbidden it is kept for as long as the page is.
  const keeper = (name) => {
    const memory = new Map(), prefix = `user360:${options.workspace}:`;
    const tried = (deed, other) => { try { return deed(window[name]); } catch (_) { return other(); } };
    return {
      get: (key) => (memory.has(key) ? memory.get(key) : tried((s) => s.getItem(prefix + key), () => null)),
      set: (key, value) => tried(
        (s) => { memory.delete(key); s.setItem(prefix + key, value); }, () => memory.set(key, value)),
      drop: (key) => { memory.delete(key); tried((s) => s.removeItem(prefix + key), () => 0); },
      keys: (start) => tried(
        (s) => Object.keys(s).filter((k) => k.startsWith(prefix + start)).map((k) => k.slice(prefix.length)), () => []),
    };
  };
  const kept = keeper('localStorage'), here = keeper('sessionStorage');
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
  const pause = (seconds, signal) => new Promise((done) => {
    const wakeUp = () => { clearTimeout(timer); wake.delete(wakeUp); done(); };
    const timer = setTimeout(wakeUp, signal && signal.aborted ? 0 : seconds * 1000);
    wake.add(wakeUp);
    if (signal) signal.addEventListener('abort', wakeUp);
  });
  const wake = new Set(); // those who wait for another try, to be woken when the network is back
  const hurry = () => [...wake].forEach((each) => each());
  const delay = (tries) => Math.min(SLOWEST, 2 ** tries) * (0.5 + Math.random() / 2);

  // The session and what is known of it
  let token = kept.get('token') || '', identity = options.identity || '';
  let messages = new Map(), pending = new Map(), state = {}, greet = {}, more = false, streamed = 0;
  let line = true, started = false, shownOpen = false, properties = {}, pageTold = false, chosen = [], due = false;
  const readUpTo = () => Number(kept.get('read') || 0);
  const number = (message) => Number(message.n.slice(1));

  async function ask(method, path, body, raw, again) {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), (raw ? 300 : PATIENCE) * 1000);
    try {
      const answer = await request(path, control.signal, {
        method, headers: raw ? {} : { 'Content-Type': 'application/json' }, body: raw || (body && JSON.stringify(body)),
      });
      return answer.status === 204 ? {} : await answer.json();
    } catch (error) {
      if (error.status !== 401 || again || path === 'start' || !(await start())) throw error;
    } finally { clearTimeout(timer); }
    return ask(method, path, body, raw, true);
  }
  async function request(path, signal, { headers, ...given } = {}) {
    const answer = await fetch(`${origin}/channels/web/${path}`, {
      ...given, signal, credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer',
      headers: { ...headers, ...(token && { 'X-User360-Session': token }) },
    });
    if (answer.ok) return answer;
    const { detail } = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(detail || `HTTP ${answer.status}`), {
      status: answer.status, wait: Number(answer.headers.get('Retry-After')) || 0,
    });
  }
  const passing = ({ status }) => !status || status >= 500 || [401, 408, 429].includes(status);
  /* A token is another from time to time; the session it names stays. */
  const sessionOf = (given) => given.split('.')[1];
  function renew(given) {
    if (!given || given === token) return;
    token = given;
    kept.set('token', token);
    tellOthers({ type: 'token' });
  }
  const alone = (name, deed) => (navigator.locks
    ? navigator.locks.request(`user360:${options.workspace}:${name}`, deed) : deed());

  // Beginning: as often as it takes; several who ask at once get one answer.
  let starting = null;
  function start() {
    if (!starting) starting = begin().finally(() => { starting = null; });
    return starting;
  }
  async function signedIn() {
    try {
      return typeof identity === 'function' ? await identity() : identity;
    } catch (error) {
      console.warn(`User 360: who is signed in is not known: ${error}`);
      return '';
    }
  }
  async function begin() {
    for (let tries = 0; ; tries += 1) {
      try {
        const said = await signedIn();
        await alone('start', async () => {
          token = kept.get('token') || '';
          const told = await ask('POST', 'start', { workspace: options.workspace, token, identity: said || '' });
          const another = token && sessionOf(told.token) !== sessionOf(token);
          renew(told.token);
          if (another) forget(told.other);
          for (const reason of told.refused || []) console.warn(`User 360: ${reason}`);
          take({ type: 'history', ...told });
        });
        started = true;
        lasting = '';
        lineIs(true);
        connect();
        return true;
      } catch (error) {
        if (error.status && !passing(error)) {
          console.warn(`User 360: ${error.message}`);
          notice(word('off'));
          return false;
        }
        lineIs(false);
        await pause(Math.max(error.wait || 0, delay(tries)));
      }
    }
  }
  /* Another session has begun. What somebody else wrote, and has not sent, is not said by who is here now. */
  function forget(somebodyElse) {
    clear();
    kept.drop('read');
    if (somebodyElse) {
      for (const id of pending.keys()) kept.drop(`out:${id}`);
      pending = new Map();
    }
    if (channel) channel.postMessage({ type: 'again' });
  }
  function clear() {
    disconnect();
    messages = new Map(); state = greet = {}; streamed = toldRead = 0; more = pageTold = started = false;
    token = kept.get('token') || '';
    draw();
  }

  // Saying something: kept until the server has it, in order, each under an id of its own.
  function say(text, files = []) {
    const id = random(), last = [...pending.values()].pop();
    // Whether it answers the question that stands in the greeting is known only now.
    const said = { id, text, files, at: Math.max(Date.now(), last ? last.at + 1 : 0), asked: pending.size ? '' : question() };
    pending.set(id, said);
    kept.set(`out:${id}`, JSON.stringify(said));
    draw();
    bottom();
    flush();
  }
  let sending = false;
  async function flush() {
    if (sending) return;
    sending = true;
    try {
      let said;
      for (let tries = 0; (said = [...pending.values()].find((each) => !each.failed)); ) {
        if (!token && !(await start())) break;
        try {
          const page = pageTold ? undefined : pageFacts();
          const told = await ask('POST', 'messages', { id: said.id, text: said.text, asked: said.asked, files: said.files.map(({ id, key }) => ({ id, key })), page });
          for (const reason of told.refused || []) console.warn(`User 360: ${reason}`);
          renew(told.token);
          pageTold = true; tries = 0;
          lineIs(true);
          add({ n: told.n, from: 'customer', text: said.text, at: told.at, id: said.id, files: said.files });
          draw();
          connect();
        } catch (error) {
          if (passing(error)) {
            if (error.status !== 429) lineIs(false);
            await pause(Math.max(error.wait || 0, delay(tries)));
            tries += 1;
          } else {
            said.failed = error.message;
            draw();
          }
        }
      }
    } finally {
      sending = false;
      if (connected) lineIs(true); // what failed may have come to the server, and from there to here
    }
  }
  const question = () => (!options.greeting && !messages.size && greet.asked) || '';
  const pageFacts = () => {
    let timezone = '';
    try { timezone = Intl.DateTimeFormat().resolvedOptions().timeZone || ''; } catch (_) { /* unknown */ }
    return { address: location.origin + location.pathname, timezone, properties };
  };
  function add(message) {
    const n = number(message);
    if (message.id && pending.delete(message.id)) kept.drop(`out:${message.id}`);
    if (messages.has(n)) return false;
    messages.set(n, message);
    return true;
  }

  // What happens, told by the stream, by another tab, or by the answer to a beginning
  function take(told) {
    if (told.type === 'message') {
      streamed = Math.max(streamed, number(told));
      if (add(told) && told.from !== 'customer') { typing(''); seen(); }
    } else if (told.type === 'history') {
      const known = Math.max(0, ...messages.keys());
      // What lies between was missed: it is shown when it is asked for.
      if (known && told.more && number(told.messages[0]) > known) { messages = new Map(); more = true; }
      if (told.messages.length) hush();
      greet = told.greeting ? told : greet;
      told.messages.forEach(add);
      const last = told.messages[told.messages.length - 1];
      if (!streamed && last) { streamed = number(last); more = told.more; }
      state = told.state;
    } else if (told.type === 'state') {
      state = told;
    } else if (told.type === 'typing') {
      typing(told.name || word('agent'));
      return;
    }
    draw();
  }

  // The stream: one of all tabs holds it and tells the others.
  let live = null, leading = false, connected = false;
  const channel = window.BroadcastChannel ? new BroadcastChannel(`user360:${origin}:${options.workspace}`) : null;
  if (channel) channel.onmessage = ({ data }) => {
    if (data.token && sessionOf(data.token) !== sessionOf(token)) return;
    if (data.type === 'again') {
      // Where both know who is signed in they may not agree: then whoever writes next has it.
      clear();
      if (identity) token = '';
      else if (shownOpen) start();
    }
    else if (data.type === 'line') { if (!leading) lineIs(connected = data.on); }
    else if (data.type === 'read') draw();
    else if (data.type === 'token') token = data.token;
    else take(data);
  };
  const tellOthers = (told) => channel && channel.postMessage({ ...told, token });
  function connect() {
    if (live || !token) return;
    live = new AbortController();
    const { signal } = live;
    const follow = async () => {
      leading = true;
      for (let tries = 0; !signal.aborted; tries += 1) {
        try {
          await listen(signal, () => { tries = 0; });
        } catch (error) {
          if (error.status === 401) { disconnect(); await pause(delay(0)); start(); break; }
          if (signal.aborted) break;
          lineIs(connected = false);
          tellOthers({ type: 'line', on: false });
          await pause(error.wait || 0, signal);
        }
        await pause(delay(tries), signal);
      }
      leading = false;
    };
    if (navigator.locks) navigator.locks.request(`user360:${options.workspace}:stream`, { signal }, follow).catch(() => 0);
    else follow();
  }
  function disconnect() {
    if (live) live.abort();
    live = null;
    connected = false;
  }
  async function listen(signal, went) {
    const control = new AbortController();
    const stop = () => control.abort();
    signal.addEventListener('abort', stop);
    let heard = Date.now();
    const watch = setInterval(() => { if (Date.now() - heard > SILENT * 1000) stop(); }, 5000);
    window.addEventListener('offline', stop);
    try {
      const answer = await request(`stream?since=m${streamed}`, control.signal);
      went();
      lineIs(connected = true);
      tellOthers({ type: 'line', on: true });
      hurry();
      const reader = answer.body.getReader(), decoder = new TextDecoder();
      for (let rest = ''; ; heard = Date.now()) {
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
        rest = parts.pop();
        for (const part of parts) {
          if (!part.startsWith('data: ')) continue;
          const told = JSON.parse(part.slice(6));
          if (told.type === 'token') { renew(told.token); continue; }
          take(told);
          tellOthers(told);
        }
      }
    } finally {
      clearInterval(watch);
      window.removeEventListener('offline', stop);
      signal.removeEventListener('abort', stop);
    }
  }

  // What was shown and read, told a moment later for all that came meanwhile
  let telling = 0, toldRead = 0;
  function seen() {
    clearTimeout(telling);
    telling = setTimeout(() => {
      const last = Math.max(0, ...[...messages.values()].filter((m) => m.from !== 'customer').map(number));
      if (!last || !token) return;
      const read = shownOpen && !document.hidden;
      if (read && last > readUpTo()) {
        kept.set('read', String(last));
        tellOthers({ type: 'read' });
        draw();
      }
      if (read && last > toldRead) ask('POST', 'seen', { read: `m${last}` }).then(() => { toldRead = last; }, () => 0);
      else if (leading && !read) ask('POST', 'seen', { delivered: `m${last}` }).catch(() => 0);
    }, 300);
  }
  let toldTyping = 0;
  function tellTyping() {
    if (!token || !state.state || Date.now() - toldTyping < 3000) return;
    toldTyping = Date.now();
    ask('POST', 'typing').catch(() => 0);
  }

  // What is seen. No markup is ever made of text, and no style stands in the page itself.
  const STYLE = `
:host{all:initial!important;position:fixed!important;inset:auto!important;z-index:2147483000!important;display:block!important}
*{box-sizing:border-box}[hidden]{display:none!important}
.all{--bg:#fff;--soft:#f1f3f5;--line:#d5dae0;--text:#1c2530;--faint:#566270;--bad:#b42318;
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--text)}
.dark{--bg:#171c22;--soft:#262d36;--line:#3a434e;--text:#eef1f4;--faint:#a9b4c0;--bad:#ff9d92;color-scheme:dark}
button,textarea{font:inherit;color:inherit}button{cursor:pointer;border:0;background:none;border-radius:8px;padding:6px}
:focus-visible{outline:2px solid currentColor;outline-offset:2px}
svg{width:22px;height:22px;display:block;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.launch{position:fixed;bottom:20px;right:20px;width:56px;height:56px;border-radius:50%;padding:15px;background:var(--accent);color:var(--on);box-shadow:0 4px 16px #0004}
.launch svg{width:26px;height:26px}.launch:focus-visible{outline:3px solid var(--text);outline-offset:3px}textarea:focus-visible{outline-offset:-1px}
.left .launch,.left .panel{right:auto;left:20px}
.badge{position:absolute;top:-4px;right:-4px;min-width:22px;padding:0 6px;border-radius:11px;background:#b42318;color:#fff;font-size:13px;line-height:22px;text-align:center}
.panel{position:fixed;bottom:88px;right:20px;width:376px;max-width:calc(100vw - 40px);height:600px;max-height:calc(100vh - 108px);display:flex;flex-direction:column;
background:var(--bg);border:1px solid var(--line);border-radius:14px;overflow:hidden;box-shadow:0 8px 40px #0003;animation:in .18s ease-out}
@keyframes in{from{opacity:0;transform:translateY(10px)}}
header{display:flex;align-items:center;gap:8px;padding:10px 10px 10px 16px;background:var(--accent);color:var(--on)}
h2{flex:1;margin:0;font-size:16px;font-weight:600;overflow-wrap:anywhere}
.bar{padding:7px 16px;font-size:13px;color:var(--faint);background:var(--soft)}.bar.lost{color:var(--bad)}
.log{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:14px 16px;display:flex;flex-direction:column;gap:4px}
.log>:first-child{margin-top:auto}
.m{max-width:86%;align-self:flex-start;display:flex;flex-direction:column;align-items:flex-start}.m.customer{align-self:flex-end;align-items:flex-end}
.who,.when{font-size:12px;color:var(--faint);padding:0 4px}.who{padding-top:8px}
.b{padding:8px 12px;border-radius:14px;background:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}
.customer .b{background:var(--accent);color:var(--on)}.b a,.file{color:inherit;text-decoration:underline}
.file{display:block;overflow-wrap:anywhere}
canvas{display:block;width:240px;max-width:100%;height:150px;object-fit:contain;object-position:0}.bad{color:var(--bad)}
.m button{padding:0 4px;text-decoration:underline;font-size:12px}.day{align-self:center;font-size:12px;color:var(--faint);padding:8px}
.choices{display:flex;flex-wrap:wrap;gap:6px;padding:6px 0}.choices button,.older{border:1px solid var(--faint);border-radius:16px;padding:5px 12px;overflow-wrap:anywhere}
.older{align-self:center;font-size:13px;margin-bottom:8px!important}
form{display:flex;align-items:flex-end;gap:4px;padding:8px;border-top:1px solid var(--line)}
textarea{flex:1;min-width:0;resize:none;max-height:130px;padding:8px 10px;border:1px solid var(--faint);border-radius:10px;background:var(--bg)}
form button{padding:8px;min-width:38px}.send{background:var(--accent);color:var(--on)}
.chips{padding:0 12px;font-size:13px}.chips div{display:flex;align-items:center;gap:4px;overflow-wrap:anywhere}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:480px){.all .panel{inset:0;width:auto;max-width:none;height:auto;max-height:none;border:0;border-radius:0}.open .launch{display:none}textarea{font-size:16px}}
@media(prefers-reduced-motion:reduce){.panel{animation:none}}@media print{.all{display:none}}`;
  const ICONS = {
    chat: 'M21 12a8 8 0 0 1-8 8H4l1.6-3.2A8 8 0 1 1 21 12', close: 'M6 6l12 12M18 6L6 18', send: 'M4 12l16-8-6 16-3-7z',
    attach: 'M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 5 5l-8.5 8.5a1.6 1.6 0 0 1-2.4-2.4L15 7.5',
  };
  const el = (name, given = {}, ...inside) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(given)) {
      if (key === 'on') for (const [event, deed] of Object.entries(value)) made.addEventListener(event, deed);
      else if (value === true) made.setAttribute(key, '');
      else if (value !== undefined && value !== false) made.setAttribute(key, value);
    }
    made.append(...inside.filter((each) => each !== null && each !== ''));
    return made;
  };
  const icon = (name) => {
    const [svg, path] = ['svg', 'path'].map((each) => document.createElementNS('http://www.w3.org/2000/svg', each));
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', ICONS[name]);
    svg.append(path);
    return svg;
  };
  const press = (deed, given, ...inside) => el('button', { type: 'button', ...given, on: { click: deed } }, ...inside);
  const button = (name, kind, deed, type = 'button') => press(deed, { type, class: kind }, icon(name));

  const host = el('user360-chat'), root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet(), colours = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet, colours];
  const launch = button('chat', 'launch', () => (shownOpen ? close() : open()));
  const badge = el('span', { class: 'badge', hidden: true, 'aria-hidden': 'true' });
  const title = el('h2', { id: 't' }), shut = button('close', 'shut', () => close());
  const bar = el('div', { class: 'bar', role: 'status' });
  const log = el('div', { class: 'log', role: 'log', tabindex: '0' });
  const chips = el('div', { class: 'chips' });
  const field = el('textarea', { rows: '1', id: 'f', maxlength: '10000', on: { input: written, keydown: pressed } });
  const picker = el('input', { type: 'file', multiple: true, hidden: true, on: { change: picked } });
  const attach = button('attach', 'attach', () => picker.click()), submit = button('send', 'send', () => 0, 'submit');
  const form = el('form', { on: { submit: (event) => { event.preventDefault(); post(); } } }, attach, picker, field, submit);
  const panel = el('div', { class: 'panel', role: 'dialog', 'aria-labelledby': 't', hidden: true, on: { keydown: keys } },
    el('header', {}, title, shut), bar, log, chips, form);
  launch.append(badge);
  const all = el('div', { class: 'all' }, panel, launch);
  root.append(all);
  const narrow = window.matchMedia('(max-width:480px)'), dark = window.matchMedia('(prefers-color-scheme:dark)');

  /* Dress the chat, and ask for the words of a language that is not here. */
  async function speak() {
    const wanted = language().slice(0, 2).toLowerCase();
    dress();
    if (wanted === spoken) return;
    try {
      const told = wanted === 'en' ? {} : await ask('GET', `words/${wanted}`);
      words = { ...ENGLISH, ...told };
      spoken = wanted;
      drawn.splice(0).forEach((each) => each[1].remove());
      dress();
    } catch (_) { /* it goes on in English */ }
  }
  let spoken = 'en';
  function dress() {
    for (const [made, name] of [[shut, 'close'], [submit, 'send'], [attach, 'attach'], [field, 'write'], [log, 'log']]) made.setAttribute('aria-label', word(name));
    field.placeholder = word('write');
    title.textContent = options.title || word('title');
    all.lang = language();
    all.classList.toggle('left', options.position === 'left');
    all.classList.toggle('dark', options.theme === 'dark' || (options.theme === 'auto' && dark.matches));
    const accent = options.accent && CSS.supports('color', options.accent) ? options.accent : '#0f766e';
    colours.replaceSync(`.all{--accent:${accent};--on:${legible(accent)}}`);
    draw();
  }
  /* White or black, whichever is read more easily on a colour. */
  function legible(colour) {
    const brush = document.createElement('canvas').getContext('2d');
    brush.fillStyle = colour;
    const hex = /^#(..)(..)(..)$/.exec(brush.fillStyle);
    if (!hex) return '#fff';
    const [r, g, b] = hex.slice(1).map((each) => parseInt(each, 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#000' : '#fff';
  }

  /* Text with its addresses made into links; nothing else in it means anything. */
  function written_out(text) {
    const found = [];
    let at = 0;
    for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g)) {
      const address = match[0].replace(/[.,;:!?)\]}'’»]+$/, '');
      try { new URL(address); } catch (_) { continue; }
      found.push(text.slice(at, match.index), el('a', { href: address, target: '_blank', rel: 'noopener noreferrer nofollow' }, address));
      at = match.index + address.length;
    }
    return [...found, text.slice(at)];
  }
  const size = (bytes) => !bytes ? '' : bytes < 1e6 ? ` (${Math.ceil(bytes / 1e3)} KB)` : ` (${(bytes / 1e6).toFixed(1)} MB)`;
  /* A file; a picture is drawn once it has been said, in the room that it had before. */
  function file(each, how) {
    const { href, protocol } = new URL(each.url, origin), called = each.name + size(each.size);
    if (!/^https?:$/.test(protocol)) return el('span', { class: 'file' }, each.name);
    const link = (...inside) => el('a', { class: 'file', href, target: '_blank', rel: 'noopener noreferrer' }, ...inside);
    if (!each.picture || each.size > DRAWN || !window.createImageBitmap) return link(called);
    // Drawn by ourselves: no content policy has to let in pictures for it, and nothing in it can act.
    const canvas = el('canvas', { role: 'img', 'aria-label': called });
    const shown = link(canvas, el('span', { 'aria-hidden': 'true' }, called));
    if (!how) new IntersectionObserver(async ([met], watch) => {
      if (!met.isIntersecting) return;
      watch.disconnect();
      try {
        const answer = await fetch(href, { credentials: 'omit', referrerPolicy: 'no-referrer' });
        const bits = await createImageBitmap(await answer.blob());
        const part = Math.min(1, 480 / Math.max(bits.width, bits.height));
        Object.assign(canvas, { width: bits.width * part, height: bits.height * part });
        canvas.getContext('2d').drawImage(bits, 0, 0, canvas.width, canvas.height);
        bits.close();
      } catch (_) { shown.replaceWith(link(called)); }
    }).observe(canvas);
    return shown;
  }
  const clock = (at) => new Date(at).toLocaleTimeString(language(), { hour: '2-digit', minute: '2-digit' });
  const name = (m) => m.name || word(m.from === 'customer' ? 'you' : m.from);

  let drawn = []; // what stands in the log, each with the key of what it shows
  function draw() {
    const end = atEnd(), wanted = [];
    if (more) wanted.push(['older', () => press(older, { class: 'older' }, word('older'))]);
    let before = {}, day = '';
    const said = [...messages.entries()].sort((a, b) => a[0] - b[0]).map((each) => each[1]);
    // A flow says its greeting itself once somebody writes: then that stands where it was said.
    const spoke = greet.greets && said.some((m) => m.from === 'bot');
    (options.greeting ? [options.greeting] : spoke ? [] : greet.greeting || []).forEach((text, i) => {
      wanted.push([`g${i}${text}`, () => bubble({ from: 'bot', text }, !i)]);
    });
    for (const m of said) {
      const its = new Date(m.at).toLocaleDateString(language(), { day: 'numeric', month: 'long' });
      if (its !== day) wanted.push([`d${its}`, () => el('div', { class: 'day' }, its)]);
      const first = its !== day || before.from !== m.from || before.name !== m.name;
      wanted.push([`${m.n}${first}`, () => bubble(m, first)]);
      day = its; before = m;
    }
    for (const p of pending.values()) {
      const how = p.failed ? 'failed' : line ? 'sending' : 'waiting';
      wanted.push([`p${p.id}${how}`, () => bubble({ ...p, from: 'customer' }, false, how)]);
    }
    const last = said[said.length - 1] || (question() && { ...greet, n: 'g' });
    if (last && last.choices && !pending.size) wanted.push([`c${last.n}`, () => choices(last)]);
    // What stays keeps its place, so that only what is new is read out.
    let at = 0;
    for (const [key, make] of wanted) {
      while (drawn[at] && drawn[at][0] !== key && !wanted.some((each) => each[0] === drawn[at][0])) drawn.splice(at, 1)[0][1].remove();
      if (!drawn[at] || drawn[at][0] !== key) {
        const old = drawn.findIndex((each) => each[0] === key);
        const made = old < 0 ? make() : drawn.splice(old, 1)[0][1];
        log.insertBefore(made, drawn[at] ? drawn[at][1] : null);
        drawn.splice(at, 0, [key, made]);
      }
      at += 1;
    }
    drawn.splice(at).forEach((each) => each[1].remove());
    if (end) bottom();
    const unread = said.filter((m) => m.from !== 'customer' && number(m) > readUpTo()).length;
    badge.hidden = !unread || shownOpen;
    badge.textContent = unread;
    launch.setAttribute('aria-label', shownOpen ? word('close') : word('open') + (unread ? `, ${word('unread', unread)}` : ''));
    launch.setAttribute('aria-expanded', shownOpen);
    notice('');
  }
  function bubble(m, first, how = '') {
    const again = () => { pending.get(m.id).failed = ''; draw(); flush(); };
    const drop = () => { pending.delete(m.id); kept.drop(`out:${m.id}`); draw(); };
    const deed = (what, does) => press(does, {}, word(what));
    const below = how === 'failed'
      ? el('span', { class: 'when bad' }, `${word(how)}: ${m.failed} `, deed('again', again), deed('remove', drop))
      : el('span', { class: 'when' }, how ? word(how) : m.at ? clock(m.at) : '');
    return el('div', { class: `m ${m.from}`, 'aria-live': m.from === 'customer' ? 'off' : undefined },
      first && m.from !== 'customer' ? el('span', { class: 'who', 'aria-hidden': 'true' }, name(m)) : null,
      el('span', { class: 'sr' }, `${name(m)} ${word('said')}: `),
      el('div', { class: 'b', dir: 'auto' }, ...written_out(m.text), ...(m.files || []).map((each) => file(each, how))), below);
  }
  function choices(m) {
    const made = m.choices.map((each) => press(() => { say(each); field.focus(); }, {}, each));
    return el('div', { class: 'choices', role: 'group', 'aria-label': word('choose') }, ...made);
  }
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  // What was said before is shown, and not read out.
  const hush = () => {
    log.setAttribute('aria-live', 'off');
    setTimeout(() => log.removeAttribute('aria-live'), 500);
  };
  const bottom = () => { log.scrollTop = log.scrollHeight; };
  async function older() {
    const first = Math.min(...messages.keys()), below = log.scrollHeight - log.scrollTop;
    try {
      const told = await ask('GET', `messages?before=m${first}`);
      more = told.more;
      hush();
      told.messages.forEach(add);
      draw();
      log.scrollTop = log.scrollHeight - below;
    } catch (error) { lineIs(!passing(error)); }
  }

  let lasting = '', typist = '', typed = 0;
  function notice(text) {
    lasting = text || lasting;
    const waits = state.place ? word('place', state.place) : word('queued');
    const stands = state.state === 'queued' ? waits : state.state === 'assigned' && state.agent ? word('with', state.agent)
      : state.state === 'open' ? (state.agent ? word('with', state.agent) : word('sent')) : ENDED.includes(state.state) ? word('over') : '';
    const told = lasting || (!line ? word('offline') : typist || stands), end = atEnd();
    if (bar.textContent !== told) bar.textContent = told;
    bar.hidden = !told;
    bar.classList.toggle('lost', !line);
    if (end) bottom(); // it takes its room from the messages
  }
  function typing(who) {
    clearTimeout(typed);
    typist = who && `${who} ${word('typing')} …`;
    if (who) typed = setTimeout(() => typing(''), TYPING * 1000);
    notice('');
  }
  function lineIs(on) {
    if (line === on) return;
    line = on;
    draw();
  }

  function open() {
    shownOpen = true;
    panel.hidden = false;
    all.classList.add('open');
    panel.setAttribute('aria-modal', narrow.matches);
    here.set('open', '1');
    draw();
    bottom();
    field.focus();
    if (!started) start();
    seen();
  }
  function close() {
    const inside = panel.contains(root.activeElement) || root.activeElement === launch;
    shownOpen = false;
    panel.hidden = true;
    all.classList.remove('open');
    here.drop('open');
    draw();
    if (inside) launch.focus();
  }
  function keys(event) {
    event.stopPropagation(); // the page's own shortcuts are not for what is typed here
    if (event.key === 'Escape') close();
    if (event.key !== 'Tab' || !narrow.matches) return;
    const stops = [...panel.querySelectorAll('button,a,textarea,[tabindex]')].filter((each) => each.offsetParent);
    const [from, to] = event.shiftKey ? [stops[0], stops[stops.length - 1]] : [stops[stops.length - 1], stops[0]];
    if (root.activeElement === from) { event.preventDefault(); to.focus(); }
  }
  function pressed(event) {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); post(); }
  }
  function written() {
    const end = atEnd();
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight + 2}px`;
    if (end) bottom();
    here.set('draft', field.value);
    if (field.value) tellTyping();
  }
  function post() {
    const text = field.value.trim(), files = chosen.filter((each) => each.id);
    due = chosen.some((each) => !each.id && !each.wrong);
    if (due || (!text && !files.length)) return;
    chosen = [];
    field.value = '';
    written();
    list();
    say(text, files);
  }
  async function picked() {
    const given = [...picker.files].slice(0, 10 - chosen.length);
    picker.value = '';
    for (const each of given) {
      const one = { name: each.name, size: each.size };
      chosen.push(one);
      list();
      for (let tries = 0; chosen.includes(one) && !one.id && !one.wrong; tries += 1) {
        try {
          if (!token) await start();
          const raw = new FormData();
          raw.append('file', each);
          Object.assign(one, await ask('POST', 'files', null, raw));
        } catch (error) {
          // A lost network comes back; one that took longer than is waited for will not be quicker.
          const lost = !error.status && error.name !== 'AbortError' && tries < 40;
          if (lost) await pause(delay(tries));
          else one.wrong = error.status === 413 ? word('large') : error.status ? error.message : word('upload');
        }
      }
      list();
    }
    // What was to be sent meanwhile; without a file that could not be taken nobody wants it said.
    if (due && !chosen.some((each) => each.wrong)) post();
    field.focus();
  }
  function list() {
    chips.replaceChildren(...chosen.map((each) => el('div', {},
      el('span', { class: each.wrong ? 'bad' : '', role: each.wrong ? 'alert' : undefined }, each.name + size(each.size) + (each.wrong ? `: ${each.wrong}` : each.id ? '' : ' …')),
      press(() => { chosen = chosen.filter((other) => other !== each); list(); field.focus(); }, { 'aria-label': `${word('remove')}: ${each.name}` }, '×'))));
  }

  // The network comes and goes, pages sleep and wake, another tab says something.
  let asleep = 0;
  function woke() {
    clearTimeout(asleep);
    hurry();
    if (!token) return;
    if (!leading) start(); // another tab may have slept, and told nothing
    connect();
    seen();
  }
  window.addEventListener('online', () => { hurry(); woke(); });
  window.addEventListener('offline', () => lineIs(false));
  window.addEventListener('pagehide', disconnect);
  window.addEventListener('pageshow', (event) => { if (event.persisted) woke(); });
  document.addEventListener('visibilitychange', async () => {
    if (!document.hidden) { woke(); return; }
    asleep = setTimeout(disconnect, HIDDEN * 1000);
    // A tab in the background may be put to sleep: one in front has the stream rather.
    const held = leading && navigator.locks ? await navigator.locks.query() : { pending: [] };
    if (document.hidden && held.pending.some((each) => each.name === `user360:${options.workspace}:stream`)) { disconnect(); connect(); }
  });
  dark.addEventListener('change', dress);

  const api = {
    version: 1, open, close,
    push: (deed) => deed(api),
    /* Who is signed in: what the page's server signed, or a function that fetches it. */
    identify: (signed) => { identity = signed; return token || starting ? Promise.resolve(starting).then(start) : Promise.resolve(); },
    set: (given) => { properties = { ...properties, ...given }; pageTold = false; },
    configure: (given) => { Object.assign(options, given); speak(); },
    /* Who was here has signed out: the next to come begins with nothing. */
    reset: () => {
      for (const key of ['token', 'read', ...kept.keys('out:')]) kept.drop(key);
      here.drop('draft');
      identity = field.value = ''; properties = {}; chosen = []; pending = new Map();
      clear();
      if (channel) channel.postMessage({ type: 'again' });
      list(); close();
    },
  };
  window.User360 = api;
  function come() {
    for (const id of kept.keys('out:')) {
      try { const said = JSON.parse(kept.get(id)); pending.set(said.id, said); } catch (_) { kept.drop(id); }
    }
    pending = new Map([...pending].sort((a, b) => a[1].at - b[1].at));
    document.body.append(host);
    field.value = here.get('draft') || '';
    toldRead = readUpTo();
    speak();
    if (Array.isArray(early)) early.forEach(api.push);
    if (here.get('open')) { open(); written(); }
    if (token) start();
    if (pending.size) flush();
  }
  if (document.body) come(); else document.addEventListener('DOMContentLoaded', come);
})();
