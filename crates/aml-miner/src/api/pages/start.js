"use strict";
// Requests go where this page came from, whatever path a proxy put before it.
fetch("openapi.json")
  .then((answer) => answer.json())
  .then((spec) => {
    const here = new URL(".", location.href).pathname.replace(/\/$/, "");
    spec.servers = [{ url: here || "/" }];
    SwaggerUIBundle({ spec, dom_id: "#ui", deepLinking: true, validatorUrl: null, tryItOutEnabled: true });
  });
