// Starts GOV.UK Frontend. Every page works without this file; it only makes some of them nicer.
import { initAll } from "../govuk/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
