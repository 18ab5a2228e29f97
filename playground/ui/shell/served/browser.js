// What Streamlit leaves to the browser: the page's language, its history, the keyboard after the
// mouse, a finger on a slider, what this browser remembers, and the names that Streamlit gives
// in English. browser.py mounts it on every page; without it every page still works.
//
// Listeners are added once a browser tab. Nothing here watches the page all the time.

const DESK = "playground.desk"; // the desk that this browser remembers
const KEEP = "playground.keep"; // "no" where it is to remember none
const KEYS = "playground.keys"; // "no" where single letters are not to press buttons
const FRESH = "playground.fresh"; // in this tab: the desk that was offered and not taken
const LOADED = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href);

const here = { data: {} }; // what Python said last
let addressed = null; // the last address that was taken over

// A browser that refuses storage (a private window, a school's rules) remembers nothing.
const guarded = (use) => {
  try {
    return use();
  } catch {
    return null;
  }
};
const read = (name) => guarded(() => localStorage.getItem(name));
const write = (name, value) =>
  guarded(() =>
    value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value)
  );

// --- History: one entry a page ------------------------------------------------------------------

const push = history.pushState;

// Streamlit makes an entry of each change of an address, and a slider changes it at each move.
function pushState(state, unused, address) {
  const same = address && new URL(address, location.href).pathname === location.pathname;
  return same ? history.replaceState(state, unused, address) : push.call(history, state, unused, address);
}

// A page's first address, which the server leaves to us: until now nobody would have stopped it
// from becoming an entry of its own.
function takeAddress({ address, run }) {
  if (address == null || addressed === run) return;
  addressed = run;
  const wanted = address ? `?${address}` : "";
  if (wanted !== location.search) {
    history.replaceState(history.state, "", location.pathname + wanted + location.hash);
  }
}

// --- Keyboard and mouse -------------------------------------------------------------------------

const WRITTEN = "textarea, select, input:not([type=range], [type=checkbox], [type=radio])";
const CHOSEN = "input[type=range], input[type=checkbox], input[type=radio]";
const LISTS = "[role=listbox], [role=menu], [contenteditable=true]";

function onKey(event) {
  if (!/^[a-z0-9]$/i.test(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.composedPath()[0];
  if (at instanceof Element && (at.matches(WRITTEN) || at.closest(LISTS))) return;
  // A key that is held down is one press; and who speaks to the computer may want none at all.
  if (event.repeat || read(KEYS) === "no") return event.stopImmediatePropagation();
  const place = "123".indexOf(event.key);
  if (place in throws() && !(at instanceof Element && at.matches(CHOSEN))) press(place, event);
}

// Streamlit's shortcuts rest while a slider, a switch or a list has the focus. Who used it with
// the mouse is done with it; who came by keyboard stays.
function onRelease(event) {
  const listed = event.target instanceof Element && event.target.closest("[role=option]");
  const wait = listed ? 100 : 0; // a list gives the focus back to its field first
  setTimeout(() => {
    const at = document.activeElement;
    if (at?.matches(CHOSEN) || (listed && at?.matches("input[role=combobox]"))) at.blur();
  }, wait);
}

// --- Throws, one after another ------------------------------------------------------------------

// Of two presses of one button Streamlit loses the second, if the server has not taken the first
// yet. So a throw waits until the game says that the last one is played.
const throws = () => document.querySelectorAll(".st-key-rps-throws button");
const PATIENCE = 5000; // ms; without an answer from the server, what waits is given up
const presses = []; // places of the buttons to be pressed
let under = 0; // the timer of the press that is under way
let sending = false; // our own click, which is on its way to Streamlit
let played = 0; // rounds

function press(place, event) {
  event.stopImmediatePropagation();
  presses.push(place);
  if (!under) next();
}

function next() {
  clearTimeout(under);
  under = 0;
  const button = throws()[presses.shift()];
  if (!button) return;
  under = setTimeout(() => {
    under = presses.length = 0;
  }, PATIENCE);
  sending = true;
  button.click();
  sending = false;
}

function onThrow(event) {
  const button = event.target instanceof Element && event.target.closest("button");
  const place = button ? [...throws()].indexOf(button) : -1;
  if (place >= 0 && !sending) press(place, event);
}

// --- A finger on a slider -----------------------------------------------------------------------

const SLOP = 8; // pixels until a touch is a swipe
let touch = null; // the touch-down that the slider has not seen yet

function again(event, kind) {
  const { pointerId, pointerType, isPrimary, button, buttons, clientX, clientY } = event;
  const said = { pointerId, pointerType, isPrimary, button, clientX, clientY, buttons };
  event.target.dispatchEvent(
    new PointerEvent(kind, { ...said, bubbles: true, cancelable: true, composed: true })
  );
}

// The page scrolls under a finger that goes up or down, as style.css lets it; the slider hears of
// the touch when it went sideways, or when it was a tap.
function onTouch(event) {
  if (event.type === "touchstart") {
    if (touch) event.stopImmediatePropagation(); // the same touch-down, said once more
    return;
  }
  if (!event.isTrusted || event.pointerType !== "touch" || !event.isPrimary) return;
  const slider = event.target instanceof Element && event.target.closest(".stSlider [role=group]");
  if (event.type === "pointerdown") {
    touch = slider ? event : null;
    if (touch) event.stopImmediatePropagation();
  } else if (touch) {
    const far = Math.abs(event.clientX - touch.clientX) > SLOP;
    if (event.type === "pointerup" || (event.type === "pointermove" && far)) {
      const down = touch;
      touch = null;
      again(down, "pointerdown");
    } else if (event.type === "pointercancel") {
      touch = null;
    }
  }
}

// --- What this browser remembers ----------------------------------------------------------------

function remember({ desk, gone }) {
  if (gone.includes(read(DESK))) write(DESK, null);
  if (desk && read(KEEP) !== "no") write(DESK, desk);
}

// A desk that could be gone on with; only our own server is asked about it.
function forgotten({ desk }) {
  if (desk || new URLSearchParams(location.search).has("desk")) return null;
  const found = read(DESK);
  return found === guarded(() => sessionStorage.getItem(FRESH)) ? null : found;
}

function offer(parent, { offer: offered }) {
  const card = parent.querySelector(".desk-offer");
  const shown = offered && forgotten(here.data) === offered.desk;
  card.hidden = !shown;
  if (!shown) return;
  const [on, fresh] = card.querySelectorAll("button");
  card.querySelector("p").textContent = offered.text;
  card.setAttribute("aria-label", offered.text);
  [on.textContent, fresh.textContent] = [offered.go, offered.fresh];
  on.onclick = () => {
    const address = new URL(location.href);
    address.searchParams.set("desk", offered.desk);
    location.replace(address);
  };
  fresh.onclick = () => {
    guarded(() => sessionStorage.setItem(FRESH, offered.desk));
    card.hidden = true;
  };
}

// Streamlit remembers the theme for the page that was loaded; a reader means all pages.
function shareTheme({ page, pages }) {
  const stem = `stActiveTheme-${LOADED.pathname}-`;
  const name = guarded(() => Object.keys(localStorage).find((key) => key.startsWith(stem)));
  const theme = name && read(name);
  if (!theme) return;
  const root = location.pathname.replace(new RegExp(`/(${page})?/?$`), "");
  for (const path of ["", ...pages]) {
    const key = `stActiveTheme-${root}/${path}-${name.slice(stem.length)}`;
    if (read(key) !== theme) write(key, theme);
  }
}

// --- Names --------------------------------------------------------------------------------------

const named = new WeakMap(); // element or text -> {attribute: [Streamlit's own, ours]}
const TEXTS = "[data-testid^=stFileUploader], [data-testid=stCameraInput], [data-testid=stMainMenuPopover], [data-testid=stMainMenuList], .skip-link, [data-testid=stSkipLink]";

function translated(said, words) {
  if (said in words) return words[said];
  for (const [pattern, word] of Object.entries(words)) {
    const [before, after] = pattern.split("{}");
    if (after === undefined || !said.startsWith(before) || !said.endsWith(after)) continue;
    return word.replace("{}", said.slice(before.length, said.length - after.length));
  }
  return said;
}

function rename(node, name, now, set, words) {
  const names = named.get(node) ?? {};
  const own = names[name]?.[1] === now ? names[name][0] : now;
  const wanted = translated(own, words);
  if (wanted === now) return;
  named.set(node, { ...names, [name]: [own, wanted] });
  set(wanted);
}

function names() {
  const words = here.data.words ?? {};
  for (const name of ["aria-label", "title"]) {
    for (const at of document.querySelectorAll(`[${name}]`)) {
      rename(at, name, at.getAttribute(name), (word) => at.setAttribute(name, word), words);
    }
  }
  for (const part of document.querySelectorAll(TEXTS)) {
    const walk = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    for (let text = walk.nextNode(); text; text = walk.nextNode()) {
      rename(text, "text", text.nodeValue, (word) => (text.nodeValue = word), words);
    }
  }
  // Beside its words an icon has nothing to say; its name would be an English one, too.
  for (const icon of document.querySelectorAll("p [role=img][aria-label$=' icon']")) {
    icon.setAttribute("aria-hidden", "true");
  }
  document.querySelectorAll("[data-testid=stBidiComponentRegular], .stBidiComponent *").forEach(dress);
}

let waiting = 0;

function namesSoon() {
  // Not later and later while the page goes on changing.
  waiting ||= setTimeout(() => {
    waiting = 0;
    names();
  }, 250);
}

// --- The canvas ---------------------------------------------------------------------------------

// A name for who cannot see it, and no toolbar that comes up over the buttons above.
function dress(host) {
  const canvas = host.shadowRoot?.querySelector(".upper-canvas");
  if (!canvas) return;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", here.data.canvas);
  if (host.dataset.dressed) return;
  host.dataset.dressed = "yes";
  const style = document.createElement("style");
  style.textContent = ".dc-toolbar { display: none !important; }";
  host.shadowRoot.append(style);
}

// Our own button below the canvas stands for the one in its toolbar.
function onClick(event) {
  const button = event.target instanceof Element && event.target.closest("[class*='-pad-undo'] button");
  if (button) {
    for (const host of button.closest(".st-key-try").querySelectorAll(".stBidiComponent *")) {
      host.shadowRoot?.querySelector(".dc-toolbar [aria-label='Undo'], .dc-toolbar [title='Undo']")?.click();
    }
  }
  namesSoon();
}

// --- Parts of the page --------------------------------------------------------------------------

if (!window.playgroundBrowser) {
  window.playgroundBrowser = true;
  history.pushState = pushState;
  addEventListener("keydown", onKey, true);
  addEventListener("keyup", namesSoon, true);
  addEventListener("pointerup", onRelease, true);
  addEventListener("click", onClick, true);
  addEventListener("click", onThrow, true);
  addEventListener("pointerover", (event) => event.target?.shadowRoot && dress(event.target), true);
  addEventListener("pagehide", () => shareTheme(here.data));
  for (const kind of ["pointerdown", "touchstart", "pointermove", "pointerup", "pointercancel"]) {
    addEventListener(kind, onTouch, true);
  }
}

// Charts and drawings have the colours of the theme that Python was told of. Another theme in the
// menu, or of the system, asks for one run more.
let seen = null;

function followTheme(data, setStateValue) {
  const app = document.querySelector(".stApp");
  if (!app) return;
  const dark = getComputedStyle(app).colorScheme === "dark";
  if (dark !== data.dark && dark !== seen) setStateValue("dark", dark);
  seen = dark;
}

// The page itself: called after each run of its script, and when the theme changes.
export function page({ parentElement, data, setStateValue }) {
  here.data = data;
  document.documentElement.lang = data.lang;
  document.documentElement.dataset.keys = read(KEYS) ?? "yes";
  takeAddress(data);
  remember(data);
  offer(parentElement, data);
  const found = forgotten(data);
  if (found && found !== data.asked) setStateValue("remembered", found);
  shareTheme(data);
  followTheme(data, setStateValue);
  namesSoon();
}

// What somebody may decide for this browser, in the desk's menu.
export function menu({ parentElement, data }) {
  const [keys] = parentElement.querySelectorAll("input");
  const [keep] = parentElement.querySelectorAll("button");
  const [, keysText] = parentElement.querySelectorAll("label, label > span");
  const text = parentElement.querySelector("p");
  keysText.textContent = data.keys;
  keys.checked = read(KEYS) !== "no";
  keys.onchange = () => {
    write(KEYS, keys.checked ? null : "no");
    document.documentElement.dataset.keys = read(KEYS) ?? "yes";
  };
  const show = () => {
    const kept = read(DESK) !== null && read(DESK) === data.desk;
    text.hidden = keep.hidden = !data.desk;
    text.textContent = kept ? data.kept : data.unkept;
    keep.textContent = kept ? data.forget : data.remember;
    keep.onclick = () => {
      write(DESK, kept ? null : data.desk);
      write(KEEP, kept ? "no" : null);
      show();
    };
  };
  show();
}

// What a screen reader is told: once it has not changed for a while, so not at every refresh.
const QUIET = 1000;
const pending = new WeakMap();

export function say({ parentElement, data }) {
  const region = parentElement.querySelector("[role=status]");
  clearTimeout(pending.get(region));
  const tell = () => region.textContent !== data.text && (region.textContent = data.text);
  pending.set(region, setTimeout(tell, QUIET));
  if (data.played != null && data.played !== played) {
    played = data.played;
    next();
  }
}
