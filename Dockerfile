# The application with its models; sources, index and settings live in the volume /home/iskp.
FROM python:3.11-slim
RUN apt-get update && apt-get install --yes --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/iskp-qa
COPY . .
RUN make .venv/.installed && ln -s /opt/iskp-qa/.venv/bin/iskp /usr/local/bin/iskp
RUN useradd --create-home --home-dir /home/iskp --uid 10001 iskp
USER iskp
ENV ISKP_HOME=/home/iskp/data
EXPOSE 7860
ENTRYPOINT ["iskp"]
CMD ["chat"]
