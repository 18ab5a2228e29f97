// A Plotly figure that stays where it is and takes new data, camera and all.
// Streamlit calls the exported function for each rerun that changed the data, and when the
// theme changes; what it returns is called once, when the figure goes.

let library = null; // Plotly itself: loaded once for all figures of a tab
const figures = new WeakMap(); // holder -> {figure, observer}

function plotly(address) {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.Plotly ? resolve(window.Plotly) : reject());
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

// Plotly refines every surface to at least 128 squares a side and draws it twice a frame (once
// to know what is under the mouse). The same surface as a mesh costs a tenth.
function mesh({ x, y, z, surfacecolor, contours, ...rest }) {
  const made = { x: [], y: [], z: z.flat(), intensity: surfacecolor.flat(), i: [], j: [], k: [] };
  y.forEach((py, row) =>
    x.forEach((px, column) => {
      made.x.push(px);
      made.y.push(py);
      if (row && column) {
        const n = row * x.length + column;
        const below = n - x.length;
        made.i.push(below - 1, below - 1);
        made.j.push(below, n);
        made.k.push(n, n - 1);
      }
    })
  );
  return { ...rest, ...made, type: "mesh3d" };
}

// Streamlit's colours and letters, as on any other chart; from further off where it is narrow.
function themed(layout, holder) {
  const style = getComputedStyle(holder);
  const color = style.getPropertyValue("--st-text-color");
  const gridcolor = style.getPropertyValue("--st-border-color");
  const scene = { ...layout.scene, bgcolor: "rgba(0,0,0,0)" };
  for (const name of ["xaxis", "yaxis", "zaxis"]) {
    scene[name] = { gridcolor, zerolinecolor: gridcolor, ...scene[name] };
  }
  const far = Math.max(1, (layout.height / holder.clientWidth) ** 1.5);
  const eye = Object.entries(layout.scene.camera.eye).map(([axis, at]) => [axis, at * far]);
  scene.camera = { ...scene.camera, eye: Object.fromEntries(eye) };
  const font = { color, family: style.fontFamily, size: 12 };
  return { ...layout, scene, font, paper_bgcolor: "rgba(0,0,0,0)", width: holder.clientWidth };
}

// Whether this browser can draw in three dimensions at all.
function webgl() {
  const probe = document.createElement("canvas");
  return Boolean(probe.getContext("webgl2") ?? probe.getContext("webgl"));
}

async function draw(holder, address) {
  const Plotly = await plotly(address);
  const { figure } = figures.get(holder) ?? {};
  if (!figure || !holder.isConnected) return; // gone while Plotly was loading
  const data = figure.data.map((trace) => (trace.type === "surface" ? mesh(trace) : trace));
  // Not twice the pixels of the screen, as by default, but all that it has.
  const plotGlPixelRatio = Math.min(2, Math.max(1, window.devicePixelRatio));
  const config = { displayModeBar: false, plotGlPixelRatio };
  await Plotly.react(holder, data, themed(figure.layout, holder), config);
  holder.dataset.drawn = Number(holder.dataset.drawn ?? 0) + 1;
}

export default function ({ parentElement, data, setStateValue }) {
  const holder = parentElement.querySelector(".figure");
  const failed = () => setStateValue("failed", true);
  const show = () => draw(holder, data.plotly).catch(failed);
  if (!webgl()) return setStateValue("blind", true);
  holder.setAttribute("aria-label", data.alt);
  figures.get(holder)?.observer.disconnect();
  const observer = new ResizeObserver(() => {
    if (holder.clientWidth !== holder._fullLayout?.width) show();
  });
  figures.set(holder, { figure: data.figure, observer });
  show().then(() => observer.observe(holder));
  return () => {
    figures.get(holder)?.observer.disconnect();
    figures.delete(holder);
    library?.then((Plotly) => Plotly.purge(holder));
  };
}
