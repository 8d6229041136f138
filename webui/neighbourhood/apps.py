from django.apps import AppConfig


class NeighbourhoodConfig(AppConfig):
    """What the station tells its neighbours: mDNS, MQTT, who may read its metrics."""

    name = "webui.neighbourhood"
    label = "neighbourhood"
