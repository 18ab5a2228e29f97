# The playground with PyTorch for a CPU, and what it needs for PostgreSQL.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 playground && mkdir /data && chown playground /data
WORKDIR /app
COPY requirements.txt requirements-postgresql.txt ./
RUN pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch torchvision \
 && pip install --no-cache-dir -r requirements-postgresql.txt
COPY app.py ./
COPY .streamlit .streamlit
COPY pages pages
COPY playground playground

USER playground
ENV PLAYGROUND_DATA=/data
EXPOSE 8501
HEALTHCHECK --interval=10s --start-period=60s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=5)"]
CMD ["streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501"]
