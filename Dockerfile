# The portal's image: one for web, worker, beat and the one-shot migration. Runs as nobody in particular, on a
# read-only file system (only /tmp and the media volume are written to).

FROM node:22-slim AS frontend
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts

FROM python:3.12-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
RUN python -m venv /venv
COPY requirements/base.txt requirements/base.txt
RUN /venv/bin/pip install --require-hashes --no-deps -r requirements/base.txt
COPY . .
COPY --from=frontend /build/node_modules/govuk-frontend/dist node_modules/govuk-frontend/dist
# collectstatic talks to nothing; the values only let the settings load.
RUN rm -rf tests devtools benchmarks \
    && SECRET_KEY=build ALLOWED_HOSTS=build SITE_URL=https://build.invalid DATABASE_URL=postgres://build@build/build \
       REDIS_URL=redis://build FIELD_ENCRYPTION_KEYS=build LOOKUP_PEPPER=build STRIPE_SECRET_KEY=build \
       STRIPE_WEBHOOK_SECRETS=build EMAIL_URL=smtp://build DEFAULT_FROM_EMAIL=build@build.invalid MEDIA_ROOT=/media \
       STATIC_ROOT=/app/static-collected DJANGO_SETTINGS_MODULE=ndors_portal.settings.base \
       /venv/bin/python manage.py collectstatic --noinput \
    && rm -rf node_modules \
    && /venv/bin/python -m compileall -q /app

FROM python:3.12-slim
RUN useradd --system --uid 10001 --no-create-home portal \
    && install -d -o portal -g portal -m 700 /media
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=ndors_portal.settings.base STATIC_ROOT=/app/static-collected MEDIA_ROOT=/media
USER portal
EXPOSE 8000
CMD ["gunicorn", "ndors_portal.wsgi:application", "--config", "gunicorn.conf.py"]
