// Tells a candidate two minutes before the held place or the sign-in ends. Every page says the time in words without it.
const WARN_SECONDS = 120;

const hold = document.getElementById("hold");
if (hold) {
  const said = document.getElementById("hold-warning");
  const seconds = Number(hold.dataset.seconds);
  const loud = (words) => {
    hold.classList.add("booking-hold--soon");
    hold.firstElementChild.hidden = true; // it says how long there was when the page was made
    said.textContent = words;
  };
  if (seconds > WARN_SECONDS) {
    window.setTimeout(() => loud(hold.dataset.soon), (seconds - WARN_SECONDS) * 1000);
  }
  window.setTimeout(() => {
    loud(hold.dataset.over);
    for (const part of hold.children) {
      part.hidden = part !== said;
    }
  }, seconds * 1000);
}

const idle = document.getElementById("idle-warning");
if (idle) {
  const form = idle.querySelector("form");
  let timer = 0;
  const start = () => {
    const seconds = Number(idle.dataset.idleSeconds) - Number(idle.dataset.warnSeconds);
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      idle.hidden = false;
      idle.scrollIntoView({ block: "nearest" });
    }, seconds * 1000);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      redirect: "manual",
    }).catch(() => null);
    if (answer && answer.status === 204) {
      idle.hidden = true;
      start();
    } else {
      form.submit();
    }
  });
  start();
}

const waiting = document.querySelector("[data-reload-seconds]");
if (waiting) {
  window.setTimeout(() => window.location.reload(), Number(waiting.dataset.reloadSeconds) * 1000);
}
