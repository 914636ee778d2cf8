// What the page does beside Gradio. Text of strangers is only ever set as text, or comes escaped from the server.
import "./clock.js";
import "./badge.js";
import "./feed.js";
import "./question.js";
import "./trace.js";
import "./theme.js";
